/** NAL units between start codes (ITU-T H.264 annex B), without trailing zeros; views into `bytes`. */
export function splitAnnexB(bytes: Uint8Array): Uint8Array[] {
  const units: Uint8Array[] = [];
  let begin = -1;
  let at = 0;
  while (at + 3 <= bytes.length) {
    // Look at the third byte first: most are above 1 and rule out three positions at once.
    const third = bytes[at + 2]!;
    if (third > 1) at += 3;
    else if (third === 1 && bytes[at + 1] === 0 && bytes[at] === 0) {
      if (begin >= 0) pushTrimmed(units, bytes, begin, at);
      begin = at + 3;
      at += 3;
    } else at++;
  }
  if (begin >= 0) pushTrimmed(units, bytes, begin, bytes.length);
  return units;
}

function pushTrimmed(units: Uint8Array[], bytes: Uint8Array, from: number, to: number): void {
  let end = to;
  while (end > from && bytes[end - 1] === 0) end--;
  if (end > from) units.push(bytes.subarray(from, end));
}

/** NAL units of an access unit with 4-byte lengths (ISO 14496-15), as far as the lengths add up; views into `bytes`. Empty ones are left out. */
export function* lengthPrefixed(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = view.getUint32(at);
    const end = at + 4 + length;
    if (end > bytes.length) return;
    if (length > 0) yield bytes.subarray(at + 4, end);
    at = end;
  }
}

/** NAL units with 4-byte lengths before them (ISO 14496-15). */
export function withLengths(units: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (const unit of units) size += 4 + unit.length;
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const unit of units) {
    view.setUint32(at, unit.length);
    out.set(unit, at + 4);
    at += 4 + unit.length;
  }
  return out;
}
