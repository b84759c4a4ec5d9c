import { protocolViolation } from '../moqt-error.ts';
import { readFlag, readPath, readText, writePath, writeText } from './fields.ts';
import type { MessageCodec } from './message.ts';

/** draft-lcurley-moq-lite-05, TRACK: asks for TRACK_INFO. */
export type Track = { readonly namespace: readonly string[]; readonly name: string };

/** draft-lcurley-moq-lite-05, TRACK_INFO: what never changes while there is the track. */
export type TrackInfo = {
  /** 0 … 255, 255 most urgent. */
  readonly priority: number;
  /** Older groups first. */
  readonly ordered: boolean;
  /** How long groups that are not the newest are kept, ms. */
  readonly maxLatencyMs: number;
  /** Units of frame timestamps per second. */
  readonly timescale: number;
};

export const track: MessageCodec<Track> = {
  name: 'TRACK',
  write(writer, { namespace, name }) {
    writePath(writer, namespace);
    writeText(writer, name);
  },
  read: (reader) => ({ namespace: readPath(reader), name: readText(reader) }),
};

export const trackInfo: MessageCodec<TrackInfo> = {
  name: 'TRACK_INFO',
  write(writer, { priority, ordered, maxLatencyMs, timescale }) {
    writer
      .priority(priority)
      .u8(ordered ? 1 : 0)
      .varint(maxLatencyMs)
      .varint(timescale);
  },
  read(reader) {
    const [priority, ordered, maxLatencyMs] = [reader.u8(), readFlag(reader), reader.varint()];
    const timescale = reader.varint();
    if (timescale === 0) throw protocolViolation('a timescale of 0');
    return { priority, ordered, maxLatencyMs, timescale };
  },
};
