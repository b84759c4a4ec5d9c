import { execFileSync } from 'node:child_process';
import type { LogFields, Logger } from '../../src/core/log.ts';
import { type Engine, startEngine } from '../../src/engine/engine.ts';
import { createRelay, type RelayCore } from '../../src/relay/relay.ts';
import { controlAuthoriser } from '../../src/relay/rights/control-authoriser.ts';
import { BroadcastPublisher, BroadcastViewer, type PublisherOptions, type ViewerOptions } from '../../src/sdk/index.ts';
import { type MemoryPair, memoryPair } from '../../src/transport/memory.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { serviceToken, startTestControl, type TestControl } from '../control/helpers.ts';
import { engineOptions } from './engine-options.ts';
import { demoFile } from './harness.ts';

export type MoqtStack = AsyncDisposable & {
  control: TestControl;
  relay: RelayCore;
  engine: Engine;
  /** Another one beside it. */
  secondEngine(): Promise<Engine>;
  /** Another engine in its place. */
  restartEngine(): Promise<void>;
  inputId: string;
  streamKey: string;
  log: { level: string; message: string; fields: LogFields | undefined }[];
  /** Connections of publishers, in order. */
  connections: MemoryPair[];
  publisher(options?: Partial<PublisherOptions> & { key?: string }): BroadcastPublisher;
  viewer(options: Partial<ViewerOptions>): Promise<BroadcastViewer>;
};

/** Control plane, relay and engine with one input, joined by memory. */
export async function startMoqtStack(
  options: { ingest?: string; graceMs?: number; ladder?: string } = {},
): Promise<MoqtStack> {
  const control = await startTestControl({ now: Date.now });
  const { body } = await control.call('POST', '/v1/live-inputs', {
    body: { name: 'show', ingest: options.ingest ?? 'fmp4', ladder: options.ladder ?? 'none' },
  });
  const inputId: string = body.id;
  const streamKey: string = body.stream_key_cleartext;
  const log: MoqtStack['log'] = [];
  const at = (level: string) => (message: string, fields?: LogFields) => void log.push({ level, message, fields });
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  const { issuer } = control.control;
  const authoriser = controlAuthoriser({ controlUrl: control.base, serviceToken, issuer, logger });
  const relay = createRelay({ authoriser, logger });
  const connections: MemoryPair[] = [];
  const dial = async (url: string): Promise<Transport> => {
    const { pathname, search } = new URL(url);
    const pair = memoryPair({ protocol: 'moqt-18', path: pathname === '/' ? '' : pathname + search });
    if (pathname.startsWith('/publish/')) connections.push(pair);
    void relay.serve(pair.server);
    return pair.client;
  };
  const start = () =>
    startEngine(
      engineOptions(control, {
        relayUrl: 'https://relay.test',
        connect: dial,
        logger,
        ...(options.graceMs !== undefined && { graceMs: options.graceMs }),
      }),
    );
  const engines: Engine[] = [];
  let engine = await start();
  control.control.setEndpoints({ engineUrl: engine.httpUrl });
  const open: (BroadcastPublisher | BroadcastViewer)[] = [];
  return {
    control,
    relay,
    get engine() {
      return engine;
    },
    async secondEngine() {
      const second = await start();
      engines.push(second);
      return second;
    },
    async restartEngine() {
      await engine.close();
      engine = await start();
    },
    inputId,
    streamKey,
    log,
    connections,
    publisher({ key = streamKey, ...more } = {}) {
      const url = `https://relay.test/publish/${inputId}?sk=${key}`;
      const publisher = new BroadcastPublisher({ url, connect: dial, ...more });
      open.push(publisher);
      return publisher;
    },
    async viewer(more) {
      const minted = await control.call('POST', `/v1/live-inputs/${inputId}/playback-tokens`, { body: {} });
      const url = `https://relay.test/playback/${inputId}?tok=${minted.body.token}`;
      const viewer = new BroadcastViewer({ url, connect: dial, ...more });
      open.push(viewer);
      return viewer;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(open.map((each) => each.close()));
      await Promise.all([engine, ...engines].map((each) => each.close()));
      await relay.close();
      await control[Symbol.asyncDispose]();
    },
  };
}

/** The fixture as a fragmented MP4 of ffmpeg's; `flags`: more movflags. */
export function fragmentedDemo(flags: string, ...options: string[]): Uint8Array {
  const args = ['-v', 'error', '-nostdin', ...options, '-i', demoFile, '-c', 'copy', '-f', 'mp4'];
  const movflags = `${flags}+empty_moov+default_base_moof`;
  return new Uint8Array(execFileSync('ffmpeg', [...args, '-movflags', movflags, 'pipe:1'], { maxBuffer: 1 << 24 }));
}
