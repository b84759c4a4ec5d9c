import { quicVarints } from '../quic-varints.ts';
import { WireWriter } from '../wire.ts';

/** What the opener of a bidirectional stream wants (draft-lcurley-moq-lite, Bidirectional Streams). */
export const requestTypes = { announce: 1, subscribe: 2, fetch: 3, probe: 4, goaway: 5, track: 6 } as const;

/** Unidirectional streams (draft-lcurley-moq-lite, Unidirectional Streams). */
export const dataTypes = { group: 0, setup: 1 } as const;

/** The beginning of a stream: its type, and the first message behind it. */
export function withStreamType(type: number, message: Uint8Array): Uint8Array {
  return new WireWriter(quicVarints, message.length + 1).varint(type).bytes(message).finish();
}
