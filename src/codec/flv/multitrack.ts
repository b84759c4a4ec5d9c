import { ByteReader } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';

/** Tracks of one message at most. */
const maxTracks = 256;

/**
 * The track of id 0 in a multitrack message (Enhanced RTMP v2, AvMultitrackType 0 one track, 1 many of one codec, 2 many of
 * many codecs), whatever the others are coded with; undefined when it is not in it. Throws MALFORMED.
 */
export function firstTrack(reader: ByteReader, type: number): { fourCc: number; reader: ByteReader } | undefined {
  if (type > 2) return undefined;
  let fourCc = type === 2 ? 0 : reader.u32();
  if (type === 0) return reader.u8() === 0 ? { fourCc, reader } : undefined;
  for (let i = 0; reader.remaining > 0; i++) {
    if (i === maxTracks) throw new StreamsError('LIMIT_EXCEEDED', 'too many tracks in one message');
    if (type === 2) fourCc = reader.u32();
    const id = reader.u8();
    const body = reader.take(reader.u24());
    if (id === 0) return { fourCc, reader: new ByteReader(body) };
  }
  return undefined;
}
