import type { MessageCodec } from './message.ts';

/** draft-lcurley-moq-lite-05, PROBE. Bit/s (of the subscriber: what it would like) and ms; 0: unknown. */
export type Probe = { readonly bitrate: number; readonly rttMs: number };

export const probe: MessageCodec<Probe> = {
  name: 'PROBE',
  write: (writer, { bitrate, rttMs }) => void writer.varint(bitrate).varint(rttMs),
  read: (reader) => ({ bitrate: reader.varint(), rttMs: reader.varint() }),
};
