/** nal_unit_type (ITU-T H.265 table 7-1). */
export const nalType = {
  vps: 32,
  sps: 33,
  pps: 34,
  delimiter: 35,
  endOfSequence: 36,
  endOfStream: 37,
  filler: 38,
  prefixSei: 39,
};

/** nal_unit_type of a NAL unit of two bytes or more. */
export function nalTypeOf(nal: Uint8Array): number {
  return (nal[0]! >> 1) & 0x3f;
}

/** IDR, CRA or BLA: a picture at which decoding can begin (7.4.2.2, IRAP). */
export function isRandomAccess(type: number): boolean {
  return type >= 16 && type <= 23;
}
