import type { Dialect } from './dialect.ts';
import { draft16 } from './draft16.ts';
import { draft18 } from './draft18.ts';

/** Best first: the order in which we offer and choose. */
export const dialects: readonly Dialect[] = [draft18, draft16];

/** ALPN and WebTransport subprotocol names, best first. */
export const moqtProtocols: readonly string[] = dialects.map((dialect) => dialect.version);

export function dialectFor(version: string): Dialect | undefined {
  return dialects.find((dialect) => dialect.version === version);
}
