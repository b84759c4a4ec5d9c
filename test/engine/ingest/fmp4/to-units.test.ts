import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parseAvcConfig } from '../../../../src/codec/h264/avc-config.ts';
import type { MediaUnit } from '../../../../src/core/media-unit.ts';
import { Fmp4ToUnits } from '../../../../src/engine/ingest/fmp4/to-units.ts';
import { demoFile } from '../../harness.ts';

/** The demo file as other packagers write it. */
const fragmented = (...movflags: string[]) =>
  new Uint8Array(
    execFileSync(
      'ffmpeg',
      [
        '-v',
        'error',
        '-i',
        demoFile,
        '-c',
        'copy',
        '-f',
        'mp4',
        '-movflags',
        ['empty_moov', ...movflags].join('+'),
        'pipe:1',
      ],
      { maxBuffer: 1 << 24 },
    ),
  );

function unitsOf(bytes: Uint8Array, step: number): MediaUnit[] {
  const reader = new Fmp4ToUnits();
  const units: MediaUnit[] = [];
  for (let at = 0; at < bytes.length; at += step) units.push(...reader.push(bytes.slice(at, at + step), 1000 + at));
  expect(reader.atBoundary).toBe(true);
  return units;
}

describe('fMP4 to units', () => {
  it.each([
    ['a fragment a frame', ['frag_every_frame', 'default_base_moof']],
    ['a fragment a keyframe', ['frag_keyframe', 'default_base_moof']],
    ['offsets from the beginning of the file', ['frag_keyframe']],
    ['CMAF', ['cmaf', 'frag_every_frame']],
  ])('reads what ffmpeg writes: %s', (_, movflags) => {
    const bytes = fragmented(...movflags);
    const units = unitsOf(bytes, 4099);
    const video = units.filter((unit) => unit.kind === 'video');
    const audio = units.filter((unit) => unit.kind === 'audio');
    expect(video.length).toBeGreaterThan(190);
    expect(audio.length).toBeGreaterThan(360);
    expect(parseAvcConfig(video[0]!.config!)).toMatchObject({ nalLengthSize: 4, sps: { width: 640, height: 360 } });
    expect(video.filter((unit) => unit.config !== undefined).length).toBe(1);
    expect(video[0]!.keyframe).toBe(true);
    expect(video.filter((unit) => unit.keyframe).length).toBeLessThan(video.length / 10);
    for (let i = 1; i < video.length; i++)
      expect((video[i]!.dts - video[i - 1]!.dts) / video[i]!.timescale).toBeCloseTo(0.04, 3);
    for (let i = 1; i < audio.length; i++) expect(audio[i]!.dts - audio[i - 1]!.dts).toBe(1024);
  });

  it('gives the same units however the bytes are cut', () => {
    const bytes = fragmented('frag_keyframe', 'default_base_moof');
    const plain = (units: MediaUnit[]) => units.map(({ arrivedAt: _, ...unit }) => unit);
    expect(plain(unitsOf(bytes, 977))).toEqual(plain(unitsOf(bytes, bytes.length)));
  });

  it('refuses what it cannot carry, by name', () => {
    const bytes = new Uint8Array(
      execFileSync(
        'ffmpeg',
        // biome-ignore format: one option a line says less
        ['-v', 'error', '-f', 'lavfi', '-i', 'sine=d=0.2:r=48000', '-c:a', 'flac', '-strict', '-2', '-f', 'mp4', '-movflags', 'empty_moov+frag_keyframe', 'pipe:1'],
      ),
    );
    expect(() => new Fmp4ToUnits().push(bytes, 0)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED', message: expect.stringMatching(/flac/i) }),
    );
  });

  it('throws at boxes that lie, fragments without an init, and time that runs backwards', () => {
    const bytes = fragmented('frag_every_frame', 'default_base_moof');
    const firstMoof = Buffer.from(bytes).indexOf('moof') - 4;
    expect(() => new Fmp4ToUnits().push(bytes.slice(firstMoof), 0)).toThrow(
      expect.objectContaining({ code: 'MALFORMED' }),
    );
    const huge = bytes.slice();
    new DataView(huge.buffer).setUint32(firstMoof, 0x7fffffff);
    expect(() => new Fmp4ToUnits().push(huge, 0)).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
    const repeat = () => {
      const later = new Fmp4ToUnits();
      later.push(bytes, 0);
      later.push(bytes.slice(firstMoof), 0);
    };
    expect(repeat).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});
