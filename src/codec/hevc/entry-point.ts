import type { EntryPoint } from '../h264/entry-point.ts';
import { recoveryCount } from '../h264/recovery-point.ts';
import { isRandomAccess, nalType, nalTypeOf } from './nal.ts';

/** IDR_W_RADL and IDR_N_LP (ITU-T H.265 table 7-1). */
const idrTypes: ReadonlySet<number> = new Set([19, 20]);

/** As for H.264: an IRAP picture, or a recovery point (D.3.8). BLA and CRA pictures may have leading pictures that are broken. */
export function hevcEntryPoint(nals: Iterable<Uint8Array>): EntryPoint | undefined {
  let recovery: number | undefined;
  let hasSlice = false;
  for (const nal of nals) {
    const type = nalTypeOf(nal);
    if (isRandomAccess(type)) return idrTypes.has(type) ? 'closed' : 'open';
    if (type === nalType.prefixSei) recovery ??= recoveryCount(nal.subarray(2), true);
    else hasSlice ||= type < 32;
  }
  if (!hasSlice || recovery === undefined) return undefined;
  return recovery <= 0 ? 'open' : 'gradual';
}
