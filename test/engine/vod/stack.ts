import { join } from 'node:path';
import { type Engine, type EngineOptions, startEngine } from '../../../src/engine/engine.ts';
import { capturingLogger, startTestControl, type TestControl, temporaryDir } from '../../control/helpers.ts';
import { engineOptions } from '../engine-options.ts';

// biome-ignore lint/suspicious/noExplicitAny: JSON whose shape is what the tests check
export type Json = any;

export type VodStack = AsyncDisposable & {
  control: TestControl;
  engine: Engine;
  log: ReturnType<typeof capturingLogger>;
  /** `http://127.0.0.1:port` of the control plane. */
  base: string;
  mediaDir: string;
  /** Another engine on the same media, after this one was closed. */
  restart(options?: Partial<EngineOptions>): Promise<void>;
  asset(id: string): Promise<Json>;
  /** Waits until it is ready or errored. */
  settled(id: string): Promise<Json>;
  token(id: string): Promise<string>;
};

/** A control plane and an engine that keeps media, without a relay. */
export async function startVodStack(options: Partial<EngineOptions> = {}): Promise<VodStack> {
  const control = await startTestControl({ now: Date.now });
  const dir = await temporaryDir();
  const mediaDir = join(dir.path, 'media');
  const log = capturingLogger();
  const start = async (more: Partial<EngineOptions>) => {
    const engine = await startEngine(engineOptions(control, { mediaDir, logger: log, ...options, ...more }));
    control.control.setEndpoints({
      engineUrl: engine.httpUrl,
      rtmpUrl: `rtmp://127.0.0.1:${engine.rtmpPort}`,
    });
    return engine;
  };
  const asset = async (id: string) => (await control.call('GET', `/v1/assets/${id}`)).body;
  const stack: VodStack = {
    control,
    engine: await start({}),
    log,
    base: control.base,
    mediaDir,
    async restart(more = {}) {
      stack.engine = await start(more);
    },
    asset,
    async settled(id) {
      for (const end = Date.now() + 60_000; ; ) {
        const found = await asset(id);
        if (found.status === 'ready' || found.status === 'errored') return found;
        if (Date.now() > end) throw new Error(`still ${found.status}: ${log.lines.join('\n')}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    token: async (id) => (await control.call('POST', `/v1/assets/${id}/playback-tokens`)).body.token,
    async [Symbol.asyncDispose]() {
      await stack.engine.close();
      await control[Symbol.asyncDispose]();
      await dir[Symbol.asyncDispose]();
    },
  };
  return stack;
}
