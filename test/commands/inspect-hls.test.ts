import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Serve, startServe } from '../helpers/streams-cli.ts';
import { apiServer } from './api-server.ts';
import { commandLine } from './command-line.ts';

describe('inspect hls', () => {
  let serve: Serve;
  let url: string;
  beforeAll(async () => {
    serve = await startServe(['--demo']);
    const demo = await serve.line(({ type }) => type === 'demo');
    url = String((await serve.json('playback', 'mint', String(demo.inputId))).hlsUrl);
  });
  afterAll(() => serve.stop());

  it('finds our own stream in order, with blocking reloads', async () => {
    const { code, stderr, lines, stdout } = await commandLine(['inspect', 'hls', url, '--json']);
    expect(code, stderr).toBe(0);
    const { renditions, variants } = lines()[0] as unknown as {
      renditions: Record<string, unknown>[];
      variants: unknown[];
    };
    expect(variants).toContainEqual(expect.objectContaining({ codecs: expect.stringContaining('avc1') }));
    for (const rendition of renditions) expect(rendition).toMatchObject({ lowLatency: true, problems: [] });
    expect(renditions[0]!.reloadMs).toHaveLength(2);
    expect(stdout).not.toContain(new URL(url).searchParams.get('tok')!);
  });

  it('says what a playlist does against the rules, and fails', async () => {
    const playlist =
      '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MAP:URI="i.mp4"\n#EXTINF:9.5,\ns.m4s\n#EXT-X-ENDLIST\n';
    await using server = await apiServer(({ path }) =>
      path.startsWith('/x.m3u8') ? { status: 200, body: playlist } : { status: 404, body: '' },
    );
    const { code, stderr } = await commandLine(['inspect', 'hls', `${server.url}/x.m3u8?tok=secret`]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/x\.m3u8: 4\.4\.3\.1: segment s\.m4s lasts 9\.5 s/);
    expect(stderr).toMatch(/newest segment: .*answered 404/);
    expect(stderr).not.toContain('secret');
    await using broken = await apiServer(() => ({ status: 200, body: '#EXTM3U\ns.m4s\n' }));
    const torn = await commandLine(['inspect', 'hls', `${broken.url}/x.m3u8`]);
    expect(torn).toMatchObject({ code: 1 });
    expect(torn.stderr).toContain('a segment without EXTINF');
  });
});
