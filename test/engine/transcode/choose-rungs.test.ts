import { describe, expect, it } from 'vitest';
import { parseLadder } from '../../../src/core/ladder.ts';
import { chooseRungs } from '../../../src/engine/transcode/choose-rungs.ts';
import { h264Level } from '../../../src/engine/transcode/h264-level.ts';

const source = (width: number, height: number, framerate?: number) => ({
  name: `video/${height}p`,
  kind: 'video' as const,
  codec: 'avc1.640028',
  width,
  height,
  ...(framerate === undefined ? {} : { framerate }),
});
const names = (ladder: string, width: number, height: number) =>
  chooseRungs(parseLadder(ladder), source(width, height, 30)).map(
    (rung) => `${rung.name} ${rung.width}x${rung.height}`,
  );

describe('the rungs of a source', () => {
  it.each([
    [3840, 2160, ['video/1080p 1920x1080', 'video/720p 1280x720', 'video/480p 854x480']],
    [1920, 1080, ['video/720p 1280x720', 'video/480p 854x480', 'video/360p 640x360']],
    [1280, 720, ['video/480p 854x480', 'video/360p 640x360']],
    [960, 540, ['video/360p 640x360']],
    [854, 480, ['video/240p 428x240']],
    [640, 360, ['video/240p 426x240']],
    [320, 240, []],
    [1080, 1920, ['video/720p 720x1280', 'video/480p 480x854', 'video/360p 360x640']],
  ])('auto below %ix%i', (width, height, rungs) => {
    expect(names('auto', width, height)).toEqual(rungs);
  });

  it('is never larger than the source', () => {
    expect(names('1080p,720p,360p', 1280, 720)).toEqual(['video/360p 640x360']);
    expect(names('none', 1280, 720)).toEqual([]);
  });

  it('keeps what viewers may hold on to, at the size of a source that shrank', () => {
    const kept = [{ height: 720, bitrate: 2_000_000 }];
    const rungs = chooseRungs(parseLadder('auto'), source(640, 360, 30), kept);
    expect(rungs.map(({ name, width, height }) => [name, width, height])).toEqual([
      ['video/720p', 640, 360],
      ['video/240p', 426, 240],
    ]);
  });

  it('has bitrates of the table, in between, above 40 frames a second, or as told', () => {
    const rates = (ladder: string, framerate?: number) =>
      chooseRungs(parseLadder(ladder), source(1920, 1080, framerate)).map(({ bitrate }) => bitrate);
    expect(rates('auto', 30)).toEqual([2_500_000, 1_200_000, 700_000]);
    expect(rates('auto', 60)).toEqual([3_750_000, 1_800_000, 1_050_000]);
    expect(rates('600p,300p:1M')).toEqual([1_850_000, 1_000_000]);
  });

  it('names the codec by the smallest level that holds it', () => {
    const [rung] = chooseRungs(parseLadder('720p'), source(1920, 1080, 30));
    expect(rung).toMatchObject({ level: 31, codec: 'avc1.64001f', framerate: 30 });
    expect(chooseRungs(parseLadder('720p'), source(1920, 1080, 60))[0]!.codec).toBe('avc1.640020');
    expect(chooseRungs(parseLadder('720p'), source(1920, 1080))[0]!.codec).toBe('avc1.640020');
    expect(h264Level(1920, 1080, 30, 4_500_000)).toBe(40);
    expect(h264Level(1920, 1080, 60, 4_500_000)).toBe(42);
    expect(h264Level(426, 240, 25, 300_000)).toBe(21);
  });
});
