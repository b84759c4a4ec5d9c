/** Samples a frame at 48 kHz by the configuration number of the TOC byte (RFC 6716 3.1). */
const silk = [480, 960, 1920, 2880];
const hybrid = [480, 960];
const celt = [120, 240, 480, 960];

/** Length of a packet in samples at 48 kHz (RFC 6716 3); 0 for a packet that is none, or longer than 120 ms. */
export function opusSamples(packet: Uint8Array): number {
  const toc = packet[0];
  if (toc === undefined) return 0;
  const config = toc >> 3;
  const frame = config < 12 ? silk[config % 4]! : config < 16 ? hybrid[config % 2]! : celt[config % 4]!;
  const code = toc & 3;
  const frames = code === 0 ? 1 : code === 3 ? (packet[1] ?? 0) & 0x3f : 2;
  const samples = frame * frames;
  return samples > 5760 ? 0 : samples;
}
