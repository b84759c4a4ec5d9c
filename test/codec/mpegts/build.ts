import { crc32Mpeg } from '../../../src/codec/mpegts/section.ts';
import { ByteWriter, concat, fromHex } from '../../../src/core/bytes.ts';

/** One transport packet; short payloads are stuffed in the adaptation field. */
export function packet(pid: number, start: boolean, continuity: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(188).fill(0xff);
  const stuffing = 184 - payload.length;
  out[0] = 0x47;
  out[1] = (start ? 0x40 : 0) | (pid >> 8);
  out[2] = pid & 0xff;
  out[3] = (stuffing > 0 ? 0x30 : 0x10) | continuity;
  if (stuffing > 0) out[4] = stuffing - 1;
  if (stuffing > 1) out[5] = 0;
  out.set(payload, 188 - payload.length);
  return out;
}

/** A payload in as many packets as it needs. */
export function packets(pid: number, payload: Uint8Array, firstContinuity = 0): Uint8Array[] {
  const out: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += 184)
    out.push(packet(pid, at === 0, (firstContinuity + out.length) & 15, payload.subarray(at, at + 184)));
  return out;
}

/** `body`: what stands between the length and the CRC. With its pointer field. */
export function section(tableId: number, body: Uint8Array): Uint8Array {
  const whole = new ByteWriter()
    .u8(tableId)
    .u16(0xb000 | (body.length + 4))
    .bytes(body)
    .finish();
  return new ByteWriter().u8(0).bytes(whole).u32(crc32Mpeg(whole)).finish();
}

export const mapPid = 0x1000;
export const videoPid = 0x100;
export const audioPid = 0x101;

/** One program. */
export const association = packet(0, true, 0, section(0, fromHex('0001 c1 0000 0001 f000')));

/** `streams`: type, PID and descriptors in hexadecimal. */
export function programMap(streams: [type: number, pid: number, descriptors?: string][], version = 0): Uint8Array {
  const writer = new ByteWriter()
    .bytes(fromHex('0001'))
    .u8(0xc1 | (version << 1))
    .bytes(fromHex('0000 e100 f000'));
  for (const [type, pid, descriptors = ''] of streams) {
    const info = fromHex(descriptors);
    writer
      .u8(type)
      .u16(0xe000 | pid)
      .u16(0xf000 | info.length)
      .bytes(info);
  }
  return packet(mapPid, true, 0, section(2, writer.finish()));
}

function timestamp(prefix: number, time: number): Uint8Array {
  const low = time % 2 ** 30;
  return Uint8Array.of(
    (prefix << 4) | (Math.floor(time / 2 ** 30) << 1) | 1,
    low >>> 22,
    ((low >>> 14) & 0xfe) | 1,
    (low >>> 7) & 0xff,
    ((low << 1) & 0xfe) | 1,
  );
}

/** Times at 90 kHz; `open` leaves the length out, as for video. */
export function pes(
  streamId: number,
  pts: number,
  dts: number | undefined,
  data: Uint8Array,
  open = false,
): Uint8Array {
  const times = dts === undefined ? timestamp(2, pts) : concat([timestamp(3, pts), timestamp(1, dts)]);
  const length = 3 + times.length + data.length;
  const writer = new ByteWriter()
    .u24(1)
    .u8(streamId)
    .u16(open ? 0 : length);
  return writer
    .u8(0x80)
    .u8(dts === undefined ? 0x80 : 0xc0)
    .u8(times.length)
    .bytes(times)
    .bytes(data)
    .finish();
}

/** x264 High, 640x360 at 25 frames per second; and what belongs to it. */
export const sps = fromHex('67 64001eacd980a02ff97011000003000100000300320f162d9a');
export const pps = fromHex('68 e97892c8b0');
export const avcConfig = concat([
  fromHex('01 64001e ff e1'),
  Uint8Array.of(0, sps.length),
  sps,
  Uint8Array.of(1, 0, pps.length),
  pps,
  fromHex('fd f8 f8 00'),
]);

const startCode = fromHex('00000001');
export const annexB = (...nals: Uint8Array[]) => concat(nals.flatMap((nal) => [startCode, nal]));

/** AAC-LC, 48 kHz, stereo. */
export function adts(raw: Uint8Array): Uint8Array {
  const length = raw.length + 7;
  const header = [0xff, 0xf1, 0x4c, 0x80 | (length >> 11), (length >> 3) & 0xff, ((length & 7) << 5) | 0x1f, 0xfc];
  return concat([Uint8Array.from(header), raw]);
}
