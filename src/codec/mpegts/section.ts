import { concat } from '../../core/bytes.ts';

const maxSectionBytes = 1024;

/** Puts the sections of one PID together (ISO 13818-1 2.4.4); damaged ones are dropped. */
export class SectionAssembler {
  #parts: Uint8Array[] = [];
  #have = 0;
  #want = 0;

  /** The whole section ending in this payload, if one does and its CRC is right. */
  push(payload: Uint8Array, start: boolean): Uint8Array | undefined {
    let body = payload;
    if (start) {
      const pointer = payload[0] ?? 0;
      if (pointer + 4 > payload.length) return undefined;
      body = payload.subarray(1 + pointer);
      this.#parts = [];
      this.#have = 0;
      this.#want = 3 + (((body[1]! & 0x0f) << 8) | body[2]!);
      if (this.#want > maxSectionBytes) this.#want = 0;
    }
    if (this.#want === 0) return undefined;
    this.#parts.push(body);
    this.#have += body.length;
    if (this.#have < this.#want) return undefined;
    const section = concat(this.#parts).subarray(0, this.#want);
    this.#parts = [];
    this.#want = 0;
    return crc32Mpeg(section) === 0 ? section : undefined;
  }
}

/** CRC of ISO 13818-1 annex A; over a section with its CRC the result is 0. */
export function crc32Mpeg(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  }
  return crc >>> 0;
}

/** PID of the first program's map, from a program association section (2.4.4.3). */
export function programMapPid(section: Uint8Array): number | undefined {
  if (section[0] !== 0x00 || !isCurrent(section)) return undefined;
  for (let at = 8; at + 4 <= section.length - 4; at += 4) {
    const program = (section[at]! << 8) | section[at + 1]!;
    if (program !== 0) return ((section[at + 2]! & 0x1f) << 8) | section[at + 3]!;
  }
  return undefined;
}

export type ElementaryStream = {
  pid: number;
  streamType: number;
  /** registration_descriptor, e.g. `Opus`. */
  registration: string;
  /** Of an Opus extension descriptor: channels, 0 without one. */
  opusChannels: number;
};

/** Streams of a program map section (2.4.4.9); undefined when it is another table. */
export function elementaryStreams(section: Uint8Array): ElementaryStream[] | undefined {
  if (section[0] !== 0x02 || !isCurrent(section)) return undefined;
  const streams: ElementaryStream[] = [];
  const end = section.length - 4;
  let at = 12 + (((section[10]! & 0x0f) << 8) | section[11]!);
  while (at + 5 <= end && streams.length < 32) {
    const infoLength = ((section[at + 3]! & 0x0f) << 8) | section[at + 4]!;
    const info = section.subarray(at + 5, Math.min(end, at + 5 + infoLength));
    streams.push({
      pid: ((section[at + 1]! & 0x1f) << 8) | section[at + 2]!,
      streamType: section[at]!,
      registration: registrationOf(info),
      opusChannels: opusChannelsOf(info),
    });
    at += 5 + infoLength;
  }
  return streams;
}

/** current_next_indicator, in a section long enough for its fixed fields. */
function isCurrent(section: Uint8Array): boolean {
  return section.length >= 12 && (section[5]! & 1) === 1;
}

function registrationOf(descriptors: Uint8Array): string {
  for (let at = 0; at + 2 <= descriptors.length; at += 2 + descriptors[at + 1]!)
    if (descriptors[at] === 0x05) return String.fromCharCode(...descriptors.subarray(at + 2, at + 6));
  return '';
}

/** extension_descriptor 0x7f with tag 0x80: channel_config_code, where 0 is two channels of mono. */
function opusChannelsOf(descriptors: Uint8Array): number {
  for (let at = 0; at + 4 <= descriptors.length; at += 2 + descriptors[at + 1]!)
    if (descriptors[at] === 0x7f && descriptors[at + 2] === 0x80) {
      const code = descriptors[at + 3]!;
      return code === 0 ? 2 : code <= 8 ? code : 0;
    }
  return 0;
}
