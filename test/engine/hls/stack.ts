import { type Engine, startEngine } from '../../../src/engine/engine.ts';
import { startTestControl, type TestControl } from '../../control/helpers.ts';
import { engineOptions } from '../engine-options.ts';
import { demoFile } from '../harness.ts';

export type HlsStack = AsyncDisposable & {
  control: TestControl;
  engine: Engine;
  inputId: string;
  streamKey: string;
  token: string;
  /** `http://127.0.0.1:port/hls/<id>/` of the control plane. */
  base: string;
  /** Fetches below `base`; the token is added where there is no query. */
  get(path: string, init?: RequestInit): Promise<Response>;
  mint(body?: object): Promise<string>;
};

/** A control plane and an engine with the fixture on air, looped; nothing listens where the relay should be. */
export async function startHlsStack(
  options: { demo?: boolean; graceMs?: number; ladder?: string } = {},
): Promise<HlsStack> {
  const control = await startTestControl({ now: Date.now });
  const { body } = await control.call('POST', '/v1/live-inputs', {
    body: { name: 'show', ladder: options.ladder ?? 'none' },
  });
  const inputId: string = body.id;
  const streamKey: string = body.stream_key_cleartext;
  const engine = await startEngine(
    engineOptions(control, {
      ...(options.graceMs === undefined ? {} : { graceMs: options.graceMs }),
      ...(options.demo === false ? {} : { demo: { inputId, streamKey, file: demoFile } }),
    }),
  );
  control.control.setEndpoints({ engineUrl: engine.httpUrl });
  const mint = async (more: object = {}): Promise<string> =>
    (await control.call('POST', `/v1/live-inputs/${inputId}/playback-tokens`, { body: more })).body.token;
  const token = await mint();
  const base = `${control.base}/hls/${inputId}/`;
  return {
    control,
    engine,
    inputId,
    streamKey,
    token,
    base,
    get: (path, init) => fetch(base + path + (path.includes('?') ? '' : `?tok=${token}`), init),
    mint,
    async [Symbol.asyncDispose]() {
      await engine.close();
      await control[Symbol.asyncDispose]();
    },
  };
}
