import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFfmpeg } from '../../../src/engine/transcode/find-ffmpeg.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-ffmpeg-'));
  await mkdir(join(folder, 'one'));
  await mkdir(join(folder, 'two', 'ffmpeg'), { recursive: true });
  for (const name of ['ffmpeg', 'ffmpeg7', 'text']) await writeFile(join(folder, 'one', name), '#!/bin/sh\n');
  for (const name of ['ffmpeg', 'ffmpeg7']) await chmod(join(folder, 'one', name), 0o755);
});
afterAll(() => rm(folder, { recursive: true }));

describe('finding ffmpeg', () => {
  const PATH = () => `${join(folder, 'two')}::${join(folder, 'one')}`;

  it('is the first program on PATH, folders of that name left out', ({ skip }) => {
    skip(findFfmpeg({}) !== undefined, 'the package ffmpeg-static is installed, and its program comes before PATH');
    expect(findFfmpeg({ PATH: PATH() })).toBe(join(folder, 'one', 'ffmpeg'));
    expect(findFfmpeg({ PATH: join(folder, 'two') })).toBeUndefined();
  });

  it('is the one that is named, by path or by name, and no other', () => {
    const named = (STREAMS_FFMPEG: string) => findFfmpeg({ PATH: PATH(), STREAMS_FFMPEG });
    expect(named(join(folder, 'one', 'ffmpeg7'))).toBe(join(folder, 'one', 'ffmpeg7'));
    expect(named('ffmpeg7')).toBe(join(folder, 'one', 'ffmpeg7'));
    expect(named(join(folder, 'one', 'text'))).toBeUndefined();
    expect(named(join(folder, 'gone'))).toBeUndefined();
    expect(named('')).toBeUndefined();
  });
});
