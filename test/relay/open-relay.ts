import { silentLogger } from '../../src/core/log.ts';
import { type Relay, type RelayOptions, startRelay } from '../../src/relay/start-relay.ts';
import { temporaryDir } from '../control/helpers.ts';
import { openAuthoriser } from './harness.ts';

export type OpenRelay = { readonly relay: Relay; close(): Promise<void> };

/** A relay on free ports of loopback with a data directory that goes with it; without other words everybody may come. */
export async function openRelay(options: Partial<RelayOptions> = {}): Promise<OpenRelay> {
  const dir = await temporaryDir();
  const relay = await startRelay({
    host: '127.0.0.1',
    port: 0,
    dataDir: dir.path,
    authoriser: openAuthoriser,
    logger: silentLogger,
    ...options,
  });
  return {
    relay,
    async close() {
      await relay.close();
      await dir[Symbol.asyncDispose]();
    },
  };
}
