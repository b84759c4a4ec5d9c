import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startVodStack, type VodStack } from '../engine/vod/stack.ts';
import { ffmpeg, ofKind, packaged, packetsOfFile, unevenness } from './packets.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let stack: VodStack;
let bare: VodStack;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-media-'));
  [stack, bare] = await Promise.all([startVodStack(), startVodStack({ findFfmpeg: () => undefined })]);
});
afterAll(async () => {
  vi.resetConfig();
  await stack?.[Symbol.asyncDispose]();
  await bare?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const picture = (rate: number, seconds = 2, offset = 0): string[] => [
  ...(offset === 0 ? [] : ['-itsoffset', String(offset)]),
  ...['-f', 'lavfi', '-i', `testsrc2=size=160x90:rate=${rate}:duration=${seconds}`],
];
const tone = (seconds = 2, offset = 0): string[] => [
  ...(offset === 0 ? [] : ['-itsoffset', String(offset)]),
  ...['-f', 'lavfi', '-i', `sine=sample_rate=48000:duration=${seconds}`],
];
const h264 = (...more: string[]): string[] => [
  '-c:v',
  'libx264',
  '-preset',
  'ultrafast',
  '-pix_fmt',
  'yuv420p',
  ...more,
];
const reordered = h264('-g', '25', '-bf', '3', '-b_strategy', '0');
const pyramid = h264('-g', '25', '-bf', '3', '-x264-params', 'b-pyramid=normal:b-adapt=0:ref=4');
const aac = ['-c:a', 'aac'];
/** Every third picture is left out, and the others keep their times. */
const variable = ['-vf', "select='mod(n,3)'", '-fps_mode', 'vfr'];
const fragmented = ['-movflags', 'frag_keyframe+delay_moov'];

/** `alone`: what a server without ffmpeg can package, too. `again`: its sound is encoded again, so that only pictures compare. */
type Source = { file: string; args: string[]; alone?: boolean; again?: boolean };

const sources: Source[] = [
  { file: 'plain.ts', args: [...picture(25), ...tone(), ...reordered, ...aac] },
  { file: 'sixty.mp4', args: [...picture(60), ...tone(), ...reordered, ...aac] },
  { file: 'film.mp4', args: [...picture(24000 / 1001), ...tone(), ...pyramid, ...aac] },
  { file: 'variable.mkv', args: [...picture(30), ...tone(), ...variable, ...reordered, ...aac] },
  { file: 'variable.mp4', args: [...picture(30), ...tone(), ...variable, ...pyramid, ...aac] },
  { file: 'ac3.mkv', args: [...picture(30), ...tone(), ...pyramid, '-c:a', 'ac3'], again: true },
  { file: 'mp3.mp4', args: [...picture(50), ...tone(), ...reordered, '-c:a', 'libmp3lame'], again: true },
  { file: 'silent.flv', args: [...picture(25), ...reordered] },
  { file: 'late-picture.mp4', args: [...picture(25, 2, 1), ...tone(3), ...reordered, ...aac] },
  { file: 'late-sound.mp4', args: [...picture(25, 3), ...tone(2, 1), ...reordered, ...aac] },
  { file: 'late-picture.ts', args: [...picture(25, 2, 1), ...tone(3), ...reordered, ...aac] },
  { file: 'late-sound.mkv', args: [...picture(25, 3), ...tone(2, 1), ...reordered, '-c:a', 'ac3'], again: true },
  { file: 'late-f.mp4', args: [...picture(25, 3), ...tone(2, 1), ...reordered, ...aac, ...fragmented], alone: true },
  { file: 'late-v.mp4', args: [...picture(25, 2, 1), ...tone(3), ...pyramid, ...aac, ...fragmented], alone: true },
];

/** A tick of the coarsest clock among the sources: that of Matroska. Seconds. */
const tick = 0.001;

describe('every packet keeps its times', () => {
  it.each(sources)('$file', async ({ file: name, args, alone = false, again = false }) => {
    const file = join(folder, name);
    await ffmpeg(...args, file);
    const all = await packetsOfFile(file);
    const source = again ? ofKind(all, 'video') : all;
    for (const on of alone ? [stack, bare] : [stack]) {
      const { status, error, packets, durationMs } = await packaged(on, file);
      expect({ status, error }).toEqual({ status: 'ready', error: null });
      expect(unevenness(source, again ? ofKind(packets, 'video') : packets)).toBeLessThan(tick);
      // It begins where its earlier track does.
      expect(Math.min(...packets.map(({ dts }) => dts!))).toBe(0);
      if (again) {
        const begin = (kind: 'video' | 'audio', of: typeof all) => Math.min(...ofKind(of, kind).map(({ pts }) => pts!));
        // What is before 0 is priming, which its decoder leaves out.
        const heard = Math.max(0, begin('audio', all));
        const wanted = begin('video', all) - heard;
        const made = begin('video', packets) - begin('audio', packets);
        // The new encoder primes its first frame.
        expect(Math.abs(made - wanted - 1024 / 48_000)).toBeLessThan(0.005);
      }
      const ends = packets.map(({ pts }) => pts!);
      expect(durationMs / 1000 - Math.max(...ends)).toBeLessThan(0.2);
    }
  });
});
