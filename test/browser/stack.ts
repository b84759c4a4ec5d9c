import { fromHex } from '../../src/core/bytes.ts';
import { silentLogger } from '../../src/core/log.ts';
import { type Engine, startEngine } from '../../src/engine/engine.ts';
import type { DemoOptions } from '../../src/engine/ingest/demo/demo.ts';
import { type Relay, startRelay } from '../../src/relay/start-relay.ts';
import { connect } from '../../src/transport/connect.ts';
import { startTestControl } from '../control/helpers.ts';
import { engineOptions } from '../engine/engine-options.ts';
import { demoFile } from '../engine/harness.ts';
import { relayOptions } from '../relay/with-control.ts';
import { webDir } from './pages.ts';

export type Input = { id: string; streamKey: string };

/** Control plane, relay and engine in this process, and the pages built from their sources. */
export type Stack = AsyncDisposable & {
  base: string;
  newInput(ladder?: string, ingest?: string): Promise<Input>;
  mint(id: string): Promise<string>;
  /** The fixture, looped as live video. */
  goLive(input: Input): Promise<Engine>;
  /** An engine with nothing of its own on air. */
  openEngine(): Promise<Engine>;
  /** Ends the relay and starts another, on the same port. */
  restartRelay(): Promise<void>;
  readonly relayPort: number;
  /** Viewers are told this port of the relay instead of its own; undefined: its own. */
  tellRelayPort(port: number | undefined): void;
};

export async function startStack(): Promise<Stack> {
  const control = await startTestControl({ now: Date.now, webDir });
  const engines: Engine[] = [];
  let relay: Relay;
  const openRelay = async (port: number) => {
    relay = await startRelay(relayOptions(control, silentLogger, { port }));
  };
  await openRelay(0);
  const relayUrl = () => `https://127.0.0.1:${relay.port}`;
  let toldPort: number | undefined;
  const announce = () => {
    const engineUrl = engines.at(-1)?.httpUrl;
    control.control.setEndpoints({
      relayUrl: `https://127.0.0.1:${toldPort ?? relay.port}`,
      certificateSha256: relay.certificateSha256,
      ...(engineUrl === undefined ? {} : { engineUrl }),
    });
  };
  announce();
  const openEngine = async (demo?: DemoOptions) => {
    const engine = await startEngine(
      engineOptions(control, {
        relayUrl: relayUrl().replace('https:', 'moqt:'),
        connect: (url) =>
          connect(url, { versions: ['moqt-18'], certificateHashes: [fromHex(relay.certificateSha256)] }),
        ...(demo === undefined ? {} : { demo }),
      }),
    );
    engines.push(engine);
    announce();
    return engine;
  };
  return {
    base: control.base,
    async newInput(ladder = 'none', ingest = 'rtmp') {
      const { body } = await control.call('POST', '/v1/live-inputs', { body: { name: 'show', ladder, ingest } });
      return { id: body.id, streamKey: body.stream_key_cleartext };
    },
    async mint(id) {
      return (await control.call('POST', `/v1/live-inputs/${id}/playback-tokens`, { body: {} })).body.token;
    },
    goLive: ({ id, streamKey }) => openEngine({ inputId: id, streamKey, file: demoFile }),
    openEngine: () => openEngine(),
    async restartRelay() {
      const { port } = relay;
      await relay.close();
      await openRelay(port);
      announce();
    },
    get relayPort() {
      return relay.port;
    },
    tellRelayPort(port) {
      toldPort = port;
      announce();
    },
    async [Symbol.asyncDispose]() {
      for (const engine of engines) await engine.close();
      await relay.close();
      await control[Symbol.asyncDispose]();
    },
  };
}
