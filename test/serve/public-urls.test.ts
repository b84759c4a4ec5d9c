import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readPublicUrls } from '../../src/serve/public-urls.ts';
import { runStreams } from '../helpers/streams-cli.ts';
import { type Stack, serveArgs, stackEnv, startStack } from './stack.ts';

describe('public URLs', () => {
  it('are taken from options, else from the environment, without what people copy along', () => {
    const env = { STREAMS_PUBLIC_URL: 'https://env.example.com/', STREAMS_PUBLIC_SRT_URL: 'srt://s.example.com:9' };
    expect(
      readPublicUrls({ http: 'HTTPS://Video.Example.com:8443/', rtmp: 'rtmp://in.example.com/live/' }, env),
    ).toEqual({
      http: 'https://video.example.com:8443',
      rtmp: 'rtmp://in.example.com',
      srt: 'srt://s.example.com:9',
    });
    expect(readPublicUrls({ hls: 'https://cdn.example.com/video/' }, {})).toEqual({
      hls: 'https://cdn.example.com/video',
    });
    expect(readPublicUrls({}, { STREAMS_PUBLIC_URL: '' })).toEqual({});
  });

  it.each([
    ['http', 'video.example.com', 'https://'],
    ['http', 'ftp://video.example.com', 'https://'],
    ['http', 'https://', 'https://'],
    ['http', 'https://video.example.com/path', 'no path'],
    ['http', 'https://me:secret@video.example.com', 'password'],
    ['http', 'https://video.example.com?sk=secret', 'end with'],
    ['http', 'https://0.0.0.0:8080', 'all addresses'],
    ['relay', 'moqt://video.example.com:4443', 'https://'],
    ['relay', 'https://video.example.com/playback', 'no path'],
    ['rtmp', 'rtmp://', 'host'],
    ['rtmp', 'rtmps://video.example.com', 'rtmp://'],
    ['srt', 'srt://video.example.com', 'port'],
  ])('refuse %s %s in words, and repeat no secret', (kind, url, why) => {
    let thrown: unknown;
    try {
      readPublicUrls({ [kind]: url }, {});
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'USAGE', message: expect.stringContaining(why), hint: expect.any(String) });
    expect(JSON.stringify([(thrown as Error).message, (thrown as { hint: string }).hint])).not.toContain('secret');
  });
});

describe('streams serve', () => {
  let folder: string;
  let stack: Stack | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'streams-public-'));
  });
  afterEach(async () => {
    await stack?.end('SIGTERM');
    stack = undefined;
    await rm(folder, { recursive: true, force: true });
  });
  const json = async (...args: string[]) => {
    const { code, stdout, stderr } = await runStreams([...args, '--json'], { env: stackEnv(folder) });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  };

  it('tells every address by its public URL, and those that are said apart', { timeout: 40_000 }, async () => {
    const apart = ['--public-srt-url', 'srt://in.example.com:900', '--public-hls-url', 'https://cdn.example.com'];
    stack = await startStack(folder, ['--host', '0.0.0.0', ...apart], {
      STREAMS_PUBLIC_URL: 'https://video.example.com',
    });
    const { urls, addresses } = stack.ready as typeof stack.ready & { urls: { https: string }; addresses: object };
    expect(addresses).toEqual({ by: 'setting', name: 'video.example.com' });
    expect(urls).toMatchObject({
      https: 'https://video.example.com',
      relay: expect.stringMatching(/^https:\/\/video\.example\.com:\d+$/),
      rtmp: expect.stringMatching(/^rtmp:\/\/video\.example\.com:\d+\/live$/),
      srt: 'srt://in.example.com:900',
    });
    const made = await json('inputs', 'create', '--name', 'a');
    expect(made.urls.rtmp).toBe(`${urls.rtmp}/${made.input.id}?sk=${made.streamKey}`);
    expect((await json('inputs', 'get', made.input.id)).urls).toEqual({
      rtmp: `${urls.rtmp}/${made.input.id}`,
      rtmpServer: urls.rtmp,
    });
    const whip = await json('inputs', 'create', '--name', 'b', '--ingest', 'whip');
    expect(whip.urls.whip).toBe(`https://video.example.com/whip/${whip.input.id}`);
    const minted = await json('playback', 'mint', made.input.id);
    expect(minted.url).toBe(`${urls.relay}/playback/${made.input.id}?tok=${minted.token}`);
    expect(minted.watchUrl).toBe(`https://video.example.com/watch/${made.input.id}?tok=${minted.token}`);
    expect(minted.hlsUrl).toBe(`https://cdn.example.com/hls/${made.input.id}/index.m3u8?tok=${minted.token}`);
  });

  it('starts nothing with a public URL that is none', async () => {
    const { code, stdout, stderr } = await runStreams([...serveArgs(folder), '--public-url', 'video.example.com'], {
      env: stackEnv(folder),
    });
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      '✖ --public-url must be a URL that begins with https:// or http:// [USAGE]\nTry: --public-url https://video.example.com\n',
    );
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });
});
