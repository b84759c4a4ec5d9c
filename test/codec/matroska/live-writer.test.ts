import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { writeMatroskaFrame, writeMatroskaHead } from '../../../src/codec/matroska/live-writer.ts';
import { concat, fromHex, hex } from '../../../src/core/bytes.ts';

// OpusHead (RFC 7845 5.1): version 1, two channels, pre-skip 312, 48 kHz, no gain, mapping 0.
const opusHead = fromHex('4f707573 48656164 01 02 3801 80bb0000 0000 00');

describe('live Matroska', () => {
  it('is a cluster of one block for a frame', () => {
    const bytes = writeMatroskaFrame({ time: 0x1234, keyframe: true, data: fromHex('aabb') });
    expect(hex(bytes)).toBe(
      hex(
        fromHex(
          `
          1f43b675 01 00000000000020   cluster of 32 bytes
          e7 01 00000000000008 0000000000001234
          a3 01 00000000000006 81 0000 80 aabb`.replace(/cluster.*$/m, ''),
        ),
      ),
    );
  });

  it('names no codec it has no name for', () => {
    const track = { kind: 'audio', codec: 'mp3', config: new Uint8Array(0), sampleRate: 48_000, channels: 2 };
    expect(writeMatroskaHead(track as never)).toBeUndefined();
  });

  it('tells how long a frame lasts, where that is known', () => {
    const track = { kind: 'audio', codec: 'opus', config: opusHead, sampleRate: 48_000, channels: 2 } as const;
    // DefaultDuration (RFC 9559 5.1.4.1.13) of 40 ms, in nanoseconds.
    const duration = hex(fromHex('23e383 01 00000000000008 0000000002625a00'));
    expect(hex(writeMatroskaHead(track, 25)!)).toContain(duration);
    expect(hex(writeMatroskaHead(track)!)).not.toContain('23e383');
  });

  it('is what ffprobe reads', () => {
    const head = writeMatroskaHead({
      kind: 'audio',
      codec: 'opus',
      config: opusHead,
      sampleRate: 48_000,
      channels: 2,
    })!;
    // A packet of 20 ms of silence (CELT, fullband, stereo).
    const frames = [1000, 1020, 1040].map((time) =>
      writeMatroskaFrame({ time, keyframe: true, data: fromHex('fcfffe') }),
    );
    const args = [
      '-v',
      'error',
      '-show_entries',
      'stream=codec_name,sample_rate,channels:packet=pts_time',
      '-of',
      'json',
    ];
    const probe = spawnSync('ffprobe', [...args, '-f', 'matroska', '-i', 'pipe:0'], {
      input: concat([head, ...frames]),
    });
    expect(probe.stderr.toString()).toBe('');
    const { streams, packets } = JSON.parse(probe.stdout.toString());
    expect(streams).toMatchObject([{ codec_name: 'opus', sample_rate: '48000', channels: 2 }]);
    expect(packets.map((packet: { pts_time: string }) => Number(packet.pts_time))).toEqual([1, 1.02, 1.04]);
  });
});
