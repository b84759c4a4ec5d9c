import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { describeVideo } from '../../../../src/codec/cmaf/describe.ts';
import { ReorderBuffer } from '../../../../src/codec/rtp/reorder-buffer.ts';
import type { OfferedMedia, RtpCodec } from '../../../../src/codec/sdp/publish-offer.ts';
import { ByteReader } from '../../../../src/core/bytes.ts';
import type { MediaUnit } from '../../../../src/core/media-unit.ts';
import { WhipToUnits } from '../../../../src/engine/ingest/whip/to-units.ts';

const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25', '-t', '1.2', '-pix_fmt', 'yuv420p'];
const sound = ['-f', 'lavfi', '-i', 'sine=r=48000', '-t', '1', '-ac', '2'];

/** What ffmpeg's own RTP packetiser sends over UDP, to its end. */
async function packetised(codec: RtpCodec, options: string[]): Promise<MediaUnit[]> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.setRecvBufferSize(4 << 20);
  const kind = codec === 'opus' ? 'audio' : 'video';
  const track: OfferedMedia = { kind, codec, payloadType: 96, retransmission: undefined };
  const made = new WhipToUnits([track]);
  const buffer = new ReorderBuffer({ waitMs: 100, maxPackets: 100 });
  const units: MediaUnit[] = [];
  const failures: unknown[] = [];
  socket.on('message', (bytes) => {
    const reader = new ByteReader(new Uint8Array(bytes));
    const [first, second] = [reader.u8(), reader.u8()];
    // RTCP of one-way senders comes to the port too (RFC 5761 4).
    if (second >= 192 && second <= 223) return;
    expect(first).toBe(0x80);
    const header = { sequence: reader.u16(), timestamp: reader.u32(), ssrc: reader.u32() };
    const packet = { payloadType: 96, marker: (second & 0x80) !== 0, ...header, payload: reader.rest() };
    try {
      for (const ordered of buffer.push(packet, 0)) units.push(...made.push(kind, ordered, { now: 0, wallClock: 0 }));
    } catch (error) {
      failures.push(error);
    }
  });
  const url = `rtp://127.0.0.1:${(socket.address() as AddressInfo).port}?localrtcpport=0`;
  const ffmpeg = spawn('ffmpeg', ['-v', 'error', '-nostdin', '-re', ...options, '-f', 'rtp', url], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let words = '';
  ffmpeg.stderr.on('data', (data) => {
    words += data;
  });
  const [code] = await once(ffmpeg, 'close');
  await new Promise((resolve) => setImmediate(resolve));
  socket.close();
  expect([code, words.replaceAll(/^\[.*libx265.*\n|x265 \[.*\n/gm, ''), failures, buffer.lost]).toEqual([0, '', [], 0]);
  return units;
}

describe('RTP as ffmpeg packetises it', () => {
  it.each<[RtpCodec, RegExp, string[]]>([
    [
      'h264',
      /^avc1\.42/,
      ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-g', '10', '-b:v', '3M'],
    ],
    [
      'hevc',
      /^hvc1\.1\.6\./,
      [
        '-c:v',
        'libx265',
        '-preset',
        'ultrafast',
        '-tune',
        'zerolatency',
        '-g',
        '10',
        '-b:v',
        '3M',
        '-x265-params',
        'log-level=none',
      ],
    ],
    ['vp8', /^vp08\.00/, ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-g', '10', '-b:v', '3M']],
    [
      'vp9',
      /^vp09\.00/,
      [
        '-c:v',
        'libvpx-vp9',
        '-deadline',
        'realtime',
        '-cpu-used',
        '8',
        '-g',
        '10',
        '-b:v',
        '3M',
        '-strict',
        'experimental',
      ],
    ],
  ])('%s comes whole', { timeout: 20_000 }, async (codec, name, options) => {
    const units = await packetised(codec, [...picture, ...options]);
    const { config, size } = units[0] as { config: Uint8Array; size?: { width: number; height: number } };
    const described = describeVideo(codec as 'h264', config);
    expect(described.codec).toMatch(name);
    expect(described.size ?? size).toEqual({ width: 640, height: 360 });
    // The last frame may wait for a packet that never comes.
    expect(units.length).toBeGreaterThanOrEqual(28);
    expect(units.filter((unit) => unit.kind === 'video' && unit.keyframe).length).toBeGreaterThanOrEqual(3);
    const steps = units.slice(1).map((unit, i) => unit.dts - units[i]!.dts);
    expect(Math.min(...steps)).toBeGreaterThan(3500);
    expect(Math.max(...steps)).toBeLessThan(3700);
  });

  it('opus comes whole', { timeout: 20_000 }, async () => {
    const units = await packetised('opus', [...sound, '-c:a', 'libopus']);
    expect(units.length).toBeGreaterThanOrEqual(49);
    expect(new Set(units.slice(1).map((unit, i) => unit.dts - units[i]!.dts))).toEqual(new Set([960]));
  });
});
