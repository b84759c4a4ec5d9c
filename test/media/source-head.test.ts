import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Fmp4ToUnits } from '../../src/engine/ingest/fmp4/to-units.ts';
import { startVodStack, type VodStack } from '../engine/vod/stack.ts';
import { ffmpeg, ofKind, packaged } from './packets.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let stack: VodStack;
let bare: VodStack;
let folder: string;
const at = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-media-'));
  [stack, bare] = await Promise.all([startVodStack(), startVodStack({ findFfmpeg: () => undefined })]);
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=2'];
  const tone = ['-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=2'];
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-g', '25', '-bf', '3'];
  await ffmpeg(...picture, ...tone, ...codecs, '-b_strategy', '0', '-c:a', 'aac', at('plain.mp4'));
  await ffmpeg('-i', at('plain.mp4'), '-c', 'copy', at('plain.ts'));
  await ffmpeg('-i', at('plain.mp4'), '-c', 'copy', at('plain.mkv'));
});
afterAll(async () => {
  vi.resetConfig();
  await stack?.[Symbol.asyncDispose]();
  await bare?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const key = '00112233445566778899aabbccddeeff';
const encrypt = ['-encryption_scheme', 'cenc-aes-ctr', '-encryption_key', key, '-encryption_kid', key];
const fragments = ['-movflags', 'frag_keyframe+delay_moov'];

describe('an encrypted file is refused by that word', () => {
  it.each([
    ['MP4', []],
    ['MP4 with its moov first', ['-movflags', 'faststart']],
    ['fragmented MP4', fragments],
  ])('%s', async (_, args) => {
    const file = at('encrypted.mp4');
    await ffmpeg('-i', at('plain.mp4'), '-c', 'copy', ...encrypt, ...args, file);
    for (const on of args === fragments ? [stack, bare] : [stack])
      expect(await packaged(on, file)).toMatchObject({ status: 'errored', error: 'it is encrypted' });
    if (args === fragments) {
      const bytes = await readFile(file);
      expect(() => new Fmp4ToUnits().push(bytes, 0)).toThrow('it is encrypted');
    }
  });

  it.each([188, 192])('MPEG-TS in packets of %i bytes', async (size) => {
    const bytes = await readFile(at('plain.ts'));
    const packets: Uint8Array[] = [];
    for (let i = 0; i < bytes.length; i += 188) {
      const packet = bytes.subarray(i, i + 188);
      // The pictures and the sound of a smart card's programme, not its tables.
      if (packet.readUInt16BE(1) % 0x2000 >= 0x100 && packet.readUInt16BE(1) % 0x2000 < 0x1000) packet[3]! |= 0x80;
      packets.push(new Uint8Array(size - 188), packet);
    }
    await writeFile(at('scrambled.ts'), Buffer.concat(packets));
    expect(await packaged(stack, at('scrambled.ts'))).toMatchObject({ status: 'errored', error: 'it is encrypted' });
  });

  it('Matroska', async () => {
    const bytes = await readFile(at('plain.mkv'));
    // The first is where the SeekHead names it.
    const tracks = bytes.indexOf('1654ae6b', bytes.indexOf('1654ae6b', 0, 'hex') + 4, 'hex');
    const encodings = Buffer.from('6d80' + '88' + '6240' + '85' + '5035' + '82' + 'ec80', 'hex');
    const [size, sizeBytes] = ebmlSize(bytes, tracks + 4);
    // A checksum (RFC 8794 11.3.1) stands before the first track: it goes.
    const checksum = bytes[tracks + 4 + sizeBytes] === 0xbf ? 6 : 0;
    const first = tracks + 4 + sizeBytes + checksum;
    const [entry, entryBytes] = ebmlSize(bytes, first + 1);
    const body = bytes.subarray(first + 1 + entryBytes, first + 1 + entryBytes + entry);
    const changed = Buffer.concat([
      bytes.subarray(0, tracks + 4),
      eightBytes(size - checksum - entryBytes + 8 + encodings.length),
      Buffer.from([0xae]),
      eightBytes(entry + encodings.length),
      body,
      encodings,
      bytes.subarray(first + 1 + entryBytes + entry),
    ]);
    await writeFile(at('encrypted.mkv'), changed);
    expect(await packaged(stack, at('encrypted.mkv'))).toMatchObject({ status: 'errored', error: 'it is encrypted' });
    expect(await packaged(stack, at('plain.mkv'))).toMatchObject({ status: 'ready' });
  });
});

function ebmlSize(bytes: Buffer, offset: number): [size: number, length: number] {
  const length = Math.clz32(bytes[offset]!) - 23;
  const marked = bytes.readUIntBE(offset, Math.min(6, length));
  // Sizes of this writer with eight bytes have no more than six that count.
  if (length > 6) return [bytes.readUIntBE(offset + 2, 6), length];
  return [marked - 2 ** (7 * length), length];
}

function eightBytes(size: number): Buffer {
  const out = Buffer.alloc(8);
  out[0] = 1;
  out.writeUIntBE(size, 2, 6);
  return out;
}

describe('a duration of all ones is unknown', () => {
  it.each(['mdhd', 'mvhd', 'tkhd'])('%s', async (box) => {
    for (const args of [[], fragments]) {
      const file = at('unknown.mp4');
      await ffmpeg('-i', at('plain.mp4'), '-c', 'copy', ...args, file);
      const bytes = await readFile(file);
      const field = { mdhd: 20, mvhd: 20, tkhd: 24 }[box]!;
      for (let i = bytes.indexOf(box); i >= 0; i = bytes.indexOf(box, i + 1))
        bytes.writeUInt32BE(2 ** 32 - 1, i + field);
      await writeFile(file, bytes);
      for (const on of args.length === 0 ? [stack] : [stack, bare]) {
        const { status, durationMs } = await packaged(on, file);
        expect({ status, about: Math.round(durationMs / 100) }).toEqual({ status: 'ready', about: 20 });
      }
    }
  });
});

describe('pictures that do not say when they are shown are put in order', () => {
  it.each(['h264', 'avi', 'mpg', 'hevc'])('%s', async (container) => {
    const file = at(`untimed.${container}`);
    const sound = container === 'h264' || container === 'hevc' ? ['-an'] : ['-c:a', 'mp2'];
    const codec = container === 'hevc' ? ['libx265', '-x265-params', 'log-level=none'] : ['libx264', '-bf', '3'];
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=2'];
    const tone = ['-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=2'];
    await ffmpeg(...picture, ...tone, '-pix_fmt', 'yuv420p', '-c:v', ...codec, '-preset', 'ultrafast', ...sound, file);
    const { status, packets } = await packaged(stack, file);
    expect(status).toBe('ready');
    const shown = ofKind(packets, 'video').map(({ pts }) => pts!);
    shown.sort((a, b) => a - b);
    expect(shown).toHaveLength(50);
    for (const [i, pts] of shown.entries()) expect(pts - shown[0]!).toBeCloseTo(i * 0.04, 4);
  });
});
