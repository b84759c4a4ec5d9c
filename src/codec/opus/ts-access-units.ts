/**
 * Opus packets of a PES packet in MPEG-TS (ETSI TS 103 491 / "Encapsulation of Opus in MPEG-TS" 4.1: opus_control_header
 * before each). Trims are not applied. Ends at the first damage, never throws.
 */
export function splitOpusAccessUnits(bytes: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = [];
  let at = 0;
  while (at + 3 <= bytes.length && bytes[at] === 0x7f && (bytes[at + 1]! & 0xe0) === 0xe0) {
    const flags = bytes[at + 1]!;
    at += 2;
    let size = 0;
    let byte = 0xff;
    while (byte === 0xff && at < bytes.length) {
      byte = bytes[at++]!;
      size += byte;
    }
    if (flags & 0x10) at += 2;
    if (flags & 0x08) at += 2;
    if (flags & 0x04) at += 1 + (bytes[at] ?? 0);
    if (at + size > bytes.length) break;
    if (size > 0) packets.push(bytes.subarray(at, at + size));
    at += size;
  }
  return packets;
}
