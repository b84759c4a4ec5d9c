/** Picture of a VP8 key frame (RFC 6386 9.1), pixels; undefined for other frames. */
export function parseVp8KeyFrame(frame: Uint8Array): { width: number; height: number } | undefined {
  // frame_type is 0 for key frames; then a start code.
  if (frame.length < 10 || frame[0]! & 1) return undefined;
  if (frame[3] !== 0x9d || frame[4] !== 0x01 || frame[5] !== 0x2a) return undefined;
  const width = ((frame[7]! & 0x3f) << 8) | frame[6]!;
  const height = ((frame[9]! & 0x3f) << 8) | frame[8]!;
  return width === 0 || height === 0 ? undefined : { width, height };
}
