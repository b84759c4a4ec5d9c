import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseMediaPlaylist } from '../../../src/codec/hls/parse-playlist.ts';
import { mediaPlaylistProblems } from '../../../src/codec/hls/validate-playlist.ts';
import { concat } from '../../../src/core/bytes.ts';
import { run, until } from '../harness.ts';
import { startHlsStack } from '../hls/stack.ts';

describe('renditions in HLS', () => {
  it('are listed from the beginning, made when asked for, and cut like the source', async () => {
    await using stack = await startHlsStack({ ladder: '240p:300k' });
    await until(() => stack.engine.stats().live.length === 1, 'the demo is live');
    const multivariant = await (await stack.get('index.m3u8')).text();
    const variants = [...multivariant.matchAll(/^#EXT-X-STREAM-INF:(.*)\n(.*)$/gm)].map(([, info, uri]) => [
      info!,
      uri!,
    ]);
    expect(variants.map(([, uri]) => uri!.replace(/\?.*/, ''))).toEqual([
      'video/360p/index.m3u8',
      'video/240p/index.m3u8',
    ]);
    expect(variants[1]![0]).toContain('RESOLUTION=426x240');
    expect(variants[1]![0]).toMatch(/CODECS="avc1\.640015,mp4a\.40\.2"/);
    const renditions = async () => (await stats(stack)).transcoding ?? false;
    expect(await renditions()).toBe(false);

    const answer = await stack.get('video/240p/index.m3u8');
    expect(answer.status).toBe(200);
    const rung = parseMediaPlaylist(await answer.text());
    expect(mediaPlaylistProblems(rung)).toEqual([]);
    const source = parseMediaPlaylist(await (await stack.get('video/360p/index.m3u8')).text());
    for (const segment of rung.segments) {
      const msn = rung.mediaSequence + rung.segments.indexOf(segment);
      const same = source.segments[msn - source.mediaSequence];
      expect(same?.duration).toBeCloseTo(segment.duration, 2);
    }
    expect(source.renditionReports.map(({ uri }) => uri.replace(/\?.*/, ''))).toContain('../../video/240p/index.m3u8');

    const [map, segment] = [rung.segments[0]!.map!, rung.segments[0]!.uri];
    const bytes = await Promise.all([map, segment].map((uri) => load(stack, `video/240p/${uri}`)));
    const folder = await mkdtemp(join(tmpdir(), 'streams-test-'));
    try {
      const file = join(folder, 'segment.mp4');
      await writeFile(file, concat(bytes));
      const args = [
        '-v',
        'error',
        '-count_frames',
        '-show_entries',
        'stream=height,nb_read_frames',
        '-of',
        'json',
        file,
      ];
      const probe = await run('ffprobe', args);
      expect(probe.stderr).toBe('');
      const frames = String(Math.round(rung.segments[0]!.duration * 25));
      expect(JSON.parse(probe.stdout).streams).toMatchObject([{ height: 240, nb_read_frames: frames }]);
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 40_000);
});

type Stack = Awaited<ReturnType<typeof startHlsStack>>;

async function load(stack: Stack, path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await stack.get(path)).arrayBuffer());
}

async function stats({ control, inputId }: Stack): Promise<Record<string, unknown>> {
  const { body } = await control.call('GET', `/v1/live-inputs/${inputId}/status`);
  return body.stats ?? {};
}
