import { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { addSequence, sequenceDistance } from './sequence.ts';

/** Lost packets, first and last included. */
export type LossRange = { first: number; last: number };

/** Ranges of `sequences`, which come oldest first. */
export function lossRanges(sequences: Iterable<number>): LossRange[] {
  const ranges: LossRange[] = [];
  let open: LossRange | undefined;
  for (const sequence of sequences) {
    if (open !== undefined && addSequence(open.last, 1) === sequence) open.last = sequence;
    else {
      open = { first: sequence, last: sequence };
      ranges.push(open);
    }
  }
  return ranges;
}

/** Control information field of a NAK (draft-sharabayko-srt-01 section 3.2.5, appendix A): as many ranges as fit. */
export function encodeLossList(ranges: readonly LossRange[], maxBytes: number): Uint8Array {
  const writer = new ByteWriter(64);
  for (const { first, last } of ranges) {
    if (writer.length + 8 > maxBytes) break;
    if (first === last) writer.u32(first);
    else writer.u32((0x8000_0000 | first) >>> 0).u32(last);
  }
  return writer.finish();
}

/** Throws MALFORMED. */
export function decodeLossList(body: Uint8Array): LossRange[] {
  const reader = new ByteReader(body);
  const ranges: LossRange[] = [];
  while (reader.remaining > 0) {
    const word = reader.u32();
    if (word < 0x8000_0000) {
      ranges.push({ first: word, last: word });
      continue;
    }
    const first = word & 0x7fff_ffff;
    const last = reader.u32();
    if (last >= 0x8000_0000 || sequenceDistance(first, last) < 0)
      throw new StreamsError('MALFORMED', 'SRT loss list range');
    ranges.push({ first, last });
  }
  return ranges;
}
