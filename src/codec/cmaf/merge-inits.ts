import { concat } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { type Box, needBox, readBoxes } from './boxes.ts';
import { writeFtyp, writeMoov } from './init-segment.ts';

/**
 * One `ftyp`+`moov` for several init segments of one track each. `trackIds[i]` is the id the track of `inits[i]` has in
 * it: its own where that is free, else the next free one (then its fragments need `retimeFragment` with that id).
 * Throws MALFORMED, or INVALID_ARGUMENT when an init does not hold exactly one track.
 */
export function mergeInits(inits: readonly Uint8Array[]): { bytes: Uint8Array; trackIds: number[] } {
  const traks: Uint8Array[] = [];
  const trexes: Uint8Array[] = [];
  const trackIds: number[] = [];
  for (const init of inits) {
    const moov = readBoxes(needBox(readBoxes(init.slice()), 'moov').payload);
    const found = moov.filter((box) => box.type === 'trak');
    if (found.length !== 1) throw new StreamsError('INVALID_ARGUMENT', `an init segment of ${found.length} tracks`);
    const trak = found[0]!;
    const trex = needBox(readBoxes(needBox(moov, 'mvex').payload), 'trex');
    const tkhd = needBox(readBoxes(trak.payload), 'tkhd');
    const idField = field(tkhd, tkhd.payload[0] === 1 ? 20 : 12);
    const own = idField.getUint32(0);
    const trackId = own !== 0 && !trackIds.includes(own) ? own : Math.max(0, ...trackIds) + 1;
    idField.setUint32(0, trackId);
    field(trex, 4).setUint32(0, trackId);
    traks.push(trak.bytes);
    trexes.push(trex.bytes);
    trackIds.push(trackId);
  }
  return { bytes: concat([writeFtyp(), writeMoov(traks, trexes, Math.max(0, ...trackIds) + 1)]), trackIds };
}

function field(box: Box, offset: number): DataView {
  if (box.payload.length < offset + 4) throw new StreamsError('MALFORMED', `${box.type} is truncated`);
  return new DataView(box.payload.buffer, box.payload.byteOffset + offset, 4);
}
