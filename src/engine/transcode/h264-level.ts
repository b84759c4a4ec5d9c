/** Level, and what Table A-1 of ITU-T H.264 allows it: macroblocks a second and a frame, kbit/s (Main) and DPB macroblocks. */
const levels: readonly (readonly [level: number, mbps: number, frame: number, kbps: number])[] = [
  [10, 1485, 99, 64],
  [11, 3000, 396, 192],
  [12, 6000, 396, 384],
  [13, 11_880, 396, 768],
  [20, 11_880, 396, 2000],
  [21, 19_800, 792, 4000],
  [22, 20_250, 1620, 4000],
  [30, 40_500, 1620, 10_000],
  [31, 108_000, 3600, 14_000],
  [32, 216_000, 5120, 20_000],
  [40, 245_760, 8192, 20_000],
  [42, 522_240, 8704, 50_000],
  [50, 589_824, 22_080, 135_000],
  [51, 983_040, 36_864, 240_000],
  [52, 2_073_600, 36_864, 240_000],
  [60, 4_177_920, 139_264, 240_000],
  [61, 8_355_840, 139_264, 480_000],
  [62, 16_711_680, 139_264, 800_000],
];

/** The smallest level (31 is 3.1) that holds pictures of this size, at this rate and bitrate (bit/s). */
export function h264Level(width: number, height: number, framerate: number, bitrate: number): number {
  const frame = Math.ceil(width / 16) * Math.ceil(height / 16);
  const side = Math.max(Math.ceil(width / 16), Math.ceil(height / 16));
  const fits = levels.find(
    ([, mbps, size, kbps]) =>
      frame <= size && side <= Math.sqrt(size * 8) && frame * framerate <= mbps && bitrate <= kbps * 1000,
  );
  return (fits ?? levels.at(-1)!)[0];
}

/** RFC 6381 name of H.264 in High profile at a level, as x264 marks it: no constraint bits. */
export function highProfileCodec(level: number): string {
  return `avc1.6400${level.toString(16).padStart(2, '0')}`;
}
