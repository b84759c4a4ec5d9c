import { concat } from '../../core/bytes.ts';

/** ISO 13818-1 2.4.3.2. */
export const packetBytes = 188;
const syncByte = 0x47;

export type TsPacket = {
  pid: number;
  /** payload_unit_start_indicator. */
  start: boolean;
  continuity: number;
  /** The adaptation field says a jump of continuity or clock is meant. */
  discontinuity: boolean;
  transportError: boolean;
  scrambled: boolean;
  /** Empty when the packet carries none. */
  payload: Uint8Array;
};

/** One packet of 188 bytes, sync byte checked by the caller; undefined when its adaptation field does not fit. */
export function parsePacket(bytes: Uint8Array): TsPacket | undefined {
  const pid = ((bytes[1]! & 0x1f) << 8) | bytes[2]!;
  const control = (bytes[3]! >> 4) & 3;
  let at = 4;
  let discontinuity = false;
  if (control & 2) {
    const length = bytes[4]!;
    if (length > packetBytes - 5) return undefined;
    discontinuity = length > 0 && (bytes[5]! & 0x80) !== 0;
    at = 5 + length;
  }
  return {
    pid,
    start: (bytes[1]! & 0x40) !== 0,
    continuity: bytes[3]! & 0x0f,
    discontinuity,
    transportError: (bytes[1]! & 0x80) !== 0,
    scrambled: (bytes[3]! & 0xc0) !== 0,
    payload: control & 1 ? bytes.subarray(at) : bytes.subarray(packetBytes),
  };
}

/** Cuts a byte stream into packets; loses sync and finds it again without throwing. Holds less than one packet. */
export class PacketSplitter {
  #rest: Uint8Array = new Uint8Array(0);
  /** Bytes passed over while looking for a sync byte. */
  skippedBytes = 0;

  push(bytes: Uint8Array): TsPacket[] {
    const all = this.#rest.length === 0 ? bytes : concat([this.#rest, bytes]);
    const packets: TsPacket[] = [];
    let at = 0;
    while (at + packetBytes <= all.length) {
      // A sync byte counts when the next packet has one too, as far as that can be seen.
      const next = at + packetBytes;
      if (all[at] !== syncByte || (next < all.length && all[next] !== syncByte)) {
        at++;
        this.skippedBytes++;
        continue;
      }
      const packet = parsePacket(all.subarray(at, next));
      if (packet !== undefined) packets.push(packet);
      at = next;
    }
    this.#rest = all.slice(at);
    return packets;
  }
}
