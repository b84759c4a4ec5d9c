import { BitReader, unescapeNal } from '../bits/bit-reader.ts';

const recoveryPoint = 6;
/** An SEI message further in than this is not looked for. */
const maxBytes = 4096;

/**
 * After how many pictures the picture is right, from the recovery point SEI message in `rbsp` (an SEI NAL unit without its header):
 * recovery_frame_cnt of H.264 (D.1.8), or recovery_poc_cnt of H.265 (D.2.8), which is `signed`. undefined: it holds none.
 */
export function recoveryCount(rbsp: Uint8Array, signed: boolean): number | undefined {
  const bytes = unescapeNal(rbsp.subarray(0, maxBytes));
  let at = 0;
  const number = (): number => {
    let value = 0;
    while (bytes[at] === 0xff) {
      value += 255;
      at++;
    }
    return value + (bytes[at++] ?? 0);
  };
  // What is left in the end are the trailing bits.
  while (at + 2 < bytes.length) {
    const type = number();
    const size = number();
    if (type === recoveryPoint) {
      try {
        const reader = new BitReader(bytes.subarray(at, at + size));
        return signed ? reader.se() : reader.ue();
      } catch {
        return undefined;
      }
    }
    at += size;
  }
  return undefined;
}
