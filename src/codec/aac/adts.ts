/** One AAC frame of an ADTS stream (ISO 13818-7 6.2): the raw frame and the AudioSpecificConfig that its header means. */
export type AdtsFrame = { config: Uint8Array; data: Uint8Array };

export type AdtsFrames = {
  frames: AdtsFrame[];
  /** Bytes of a frame that is not whole yet: fewer than 8192. */
  rest: Uint8Array;
};

/** Frames of `bytes`; looks for the next sync word where a header is damaged. Never throws. */
export function splitAdts(bytes: Uint8Array): AdtsFrames {
  const frames: AdtsFrame[] = [];
  let at = 0;
  while (at + 7 <= bytes.length) {
    if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xf6) !== 0xf0) {
      at++;
      continue;
    }
    const length = ((bytes[at + 3]! & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >> 5);
    const header = bytes[at + 1]! & 1 ? 7 : 9;
    const rateIndex = (bytes[at + 2]! >> 2) & 15;
    // A header before several raw frames (number_of_raw_data_blocks) does not say where they part.
    if (length <= header || rateIndex > 12 || (bytes[at + 6]! & 3) !== 0) {
      at++;
      continue;
    }
    if (at + length > bytes.length) break;
    const objectType = (bytes[at + 2]! >> 6) + 1;
    const channels = ((bytes[at + 2]! & 1) << 2) | (bytes[at + 3]! >> 6);
    frames.push({
      config: Uint8Array.of((objectType << 3) | (rateIndex >> 1), ((rateIndex & 1) << 7) | (channels << 3)),
      data: bytes.subarray(at + header, at + length),
    });
    at += length;
  }
  return { frames, rest: bytes.subarray(at) };
}
