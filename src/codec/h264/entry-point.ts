import { BitReader, unescapeNal } from '../bits/bit-reader.ts';
import { recoveryCount } from './recovery-point.ts';

/**
 * A picture at which decoding can begin. `closed`: an IDR picture, nothing behind it refers to what was before. `open`: from
 * it on everything is right that is shown after it, but pictures behind it that are shown before it may be broken (open GOP).
 * `gradual`: the picture becomes right in the course of the next ones (intra refresh).
 */
export type EntryPoint = 'closed' | 'open' | 'gradual';

/** nal_unit_type (ITU-T H.264 table 7-1). */
const slice = 1;
const idr = 5;
const sei = 6;
const sps = 7;
/** More of a slice header than its first two numbers need. */
const headerBytes = 12;

/**
 * What the NAL units of an access unit say of it: an IDR picture; a recovery point (D.2.8); or, of encoders that announce none, I slices
 * alone where the sender calls it a keyframe (`said`) or repeats the parameter sets before it. undefined: none of it.
 */
export function entryPoint(nals: Iterable<Uint8Array>, said: boolean): EntryPoint | undefined {
  let intra: boolean | undefined;
  let announced = said;
  let recovery: number | undefined;
  for (const nal of nals) {
    const type = nal[0]! & 0x1f;
    if (type === idr) return 'closed';
    if (type === sps) announced = true;
    else if (type === sei) recovery ??= recoveryCount(nal.subarray(1), false);
    else if (type === slice) intra = (intra ?? true) && isIntra(nal);
  }
  if (intra === undefined) return undefined;
  if (recovery !== undefined) return recovery === 0 ? 'open' : 'gradual';
  return announced && intra ? 'open' : undefined;
}

/** slice_type 2 or 4, or those that all slices of the picture share (7.4.3). */
function isIntra(nal: Uint8Array): boolean {
  try {
    const reader = new BitReader(unescapeNal(nal.subarray(1, headerBytes)));
    reader.ue();
    const type = reader.ue() % 5;
    return type === 2 || type === 4;
  } catch {
    return false;
  }
}
