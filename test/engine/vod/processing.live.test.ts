import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseMediaPlaylist } from '../../../src/codec/hls/parse-playlist.ts';
import { mediaPlaylistProblems } from '../../../src/codec/hls/validate-playlist.ts';
import { clip, h264AndAac, type Packet, packetsOf, packetsOfBytes } from './media.ts';
import { startVodStack, type VodStack } from './stack.ts';

vi.setConfig({ testTimeout: 60_000 });

let stack: VodStack;
let mp4: Buffer;
beforeAll(async () => {
  stack = await startVodStack({ assetSweepMs: 200 });
  mp4 = await clip('a.mp4', 5, h264AndAac);
});
afterAll(() => {
  vi.resetConfig();
  return stack?.[Symbol.asyncDispose]();
});

const upload = async (bytes: Buffer | string, on = stack) => {
  const headers = { authorization: `Bearer ${on.control.adminKey}`, 'upload-complete': '?1' };
  const answer = await fetch(`${on.base}/uploads`, { method: 'POST', headers, body: bytes as BodyInit });
  expect(answer.status).toBe(201);
  return on.settled(answer.headers.get('location')!.slice('/uploads/'.length));
};

describe('a file with H.264 and AAC', () => {
  it('plays with the very samples that were in it', async () => {
    const asset = await upload(mp4);
    expect(asset).toMatchObject({ status: 'ready', percent: 100, error: null });
    expect(Math.abs(asset.durationMs - 5000)).toBeLessThan(60);
    for (const id of [asset.id, asset.playbackId]) {
      const url = `${stack.base}/hls/${id}/index.m3u8?tok=${await stack.token(asset.id)}`;
      const [played, uploaded] = [await packetsOf(url), await packetsOfBytes(mp4)];
      for (const kind of ['video', 'audio']) {
        const of = (packets: typeof played) => packets.filter(({ codec_type }) => codec_type === kind);
        expect(of(played).map(({ data_hash }) => data_hash)).toEqual(of(uploaded).map(({ data_hash }) => data_hash));
      }
    }
    // The source has gone.
    expect((await readdir(join(stack.mediaDir, asset.id))).toSorted()).toEqual([
      'asset.json',
      'index.json',
      'told.json',
      'track-0.cmaf',
      'track-1.cmaf',
      'tracks.json',
    ]);
  });

  it('has a playlist of type VOD and a catalog, for who has a token', async () => {
    const asset = await upload(await clip('f.mp4', 5, [...h264AndAac, '-movflags', 'frag_keyframe+empty_moov']));
    const tok = await stack.token(asset.id);
    const get = (path: string, token = tok) => fetch(`${stack.base}${path}?tok=${token}`);
    const media = await (await get(`/hls/${asset.id}/video/180p/index.m3u8`)).text();
    expect(parseMediaPlaylist(media)).toMatchObject({ type: 'VOD', ended: true });
    expect(mediaPlaylistProblems(parseMediaPlaylist(media))).toEqual([]);
    expect(media).toMatch(/#EXT-X-ENDLIST\n$/);
    expect(media.match(/#EXTINF:2\.0,/g)).toHaveLength(2);
    const catalog = await (await get(`/vod/${asset.playbackId}/catalog.json`)).json();
    expect(catalog).toMatchObject({
      version: 1,
      live: false,
      tracks: [{ name: 'video/180p', kind: 'video', width: 320, height: 180, framerate: 30 }, { name: 'audio' }],
    });
    expect(Buffer.from(catalog.tracks[0].init, 'base64').subarray(4, 8).toString()).toBe('ftyp');
    const segment = await get(`/vod/${asset.id}/video/180p/segment-1.m4s`);
    expect(Number(segment.headers.get('content-length'))).toBe((await segment.arrayBuffer()).byteLength);
    const other = await stack.token((await upload(mp4)).id);
    expect((await get(`/hls/${asset.id}/index.m3u8`, other)).status).toBe(403);
    expect((await get(`/hls/${asset.id}/index.m3u8`, '')).status).toBe(401);
    for (const path of ['video/180p/segment-99.m4s', 'video/../../asset.json', 'track-0.cmaf', 'audio/init-7.mp4'])
      expect((await get(`/vod/${asset.id}/${path}`)).status).toBe(404);
    await stack.control.call('DELETE', `/v1/assets/${asset.id}`);
    await expect.poll(async () => (await get(`/hls/${asset.id}/index.m3u8`)).status, { timeout: 5000 }).toBe(403);
    // Its media go too.
    await expect.poll(() => readdir(stack.mediaDir), { timeout: 5000 }).not.toContain(asset.id);
    expect(await readdir(stack.mediaDir)).not.toContain(asset.playbackId);
  });

  it('is packaged without ffmpeg when it is fragmented, and else says what is missing', async () => {
    await using bare = await startVodStack({ findFfmpeg: () => undefined });
    const fragmented = await clip('g.mp4', 3, [
      ...h264AndAac,
      '-movflags',
      'frag_keyframe+empty_moov+default_base_moof',
    ]);
    expect(await upload(fragmented, bare)).toMatchObject({ status: 'ready' });
    expect((await upload(mp4, bare)).error).toMatch(/^without ffmpeg on the server only fragmented MP4/);
  });
});

it('takes H.264 and AAC out of a transport stream, together in time', async () => {
  const ts = await clip('c.ts', 4, [...h264AndAac, '-f', 'mpegts']);
  const asset = await upload(ts);
  expect(asset).toMatchObject({ status: 'ready' });
  const played = await packetsOf(`${stack.base}/hls/${asset.id}/index.m3u8?tok=${await stack.token(asset.id)}`);
  const uploaded = await packetsOfBytes(ts);
  const first = (packets: Packet[], kind: string) =>
    Math.min(...packets.filter(({ codec_type }) => codec_type === kind).map(({ pts_time }) => Number(pts_time)));
  const apart = (packets: Packet[]) => first(packets, 'video') - first(packets, 'audio');
  expect(played.filter(({ codec_type }) => codec_type === 'video')).toHaveLength(120);
  expect(Math.abs(apart(played) - apart(uploaded))).toBeLessThan(0.03);
});

it('encodes again what players cannot play', async () => {
  const webm = await clip('b.webm', 2, [
    '-c:v',
    'libvpx',
    '-deadline',
    'realtime',
    '-cpu-used',
    '8',
    '-c:a',
    'libopus',
  ]);
  const asset = await upload(webm);
  expect(asset).toMatchObject({ status: 'ready' });
  const kinds = await packetsOf(`${stack.base}/hls/${asset.id}/index.m3u8?tok=${await stack.token(asset.id)}`);
  expect(kinds.filter(({ codec_type }) => codec_type === 'video').length).toBe(60);
});

describe('what is no media', () => {
  it('is refused in words, and harms nobody', async () => {
    const secret = join(stack.mediaDir, 'other.mp4');
    await writeFile(secret, mp4);
    const playlist = (uri: string) => `#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n${uri}\n#EXT-X-ENDLIST\n`;
    const asked: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url);
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const elsewhere = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.ts`;
    const cases: [string, Buffer | string, RegExp][] = [
      ['nothing', '', /^the file is empty$/],
      ['noise', Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) >> 3)), /./],
      ['a playlist that names a file', playlist(`file://${secret}`), /^it cannot be read as media/],
      ['one that names /etc/passwd', playlist('file:///etc/passwd'), /^it cannot be read as media/],
      ['one that names a server', playlist(elsewhere), /^it cannot be read as media/],
      ['a list of files', `ffconcat version 1.0\nfile '${secret}'\n`, /^it cannot be read as media/],
      ['a cut file', mp4.subarray(0, mp4.length / 2), /./],
      [
        'a box that lies',
        Buffer.concat([
          Buffer.from('0000001866747970', 'hex'),
          Buffer.alloc(16),
          Buffer.from('7fffffff6d6f6f76', 'hex'),
        ]),
        /./,
      ],
      ['a text', 'hello', /./],
    ];
    for (const [name, bytes, reason] of cases) {
      const asset = await upload(bytes);
      expect([name, asset.status]).toEqual([name, 'errored']);
      expect(asset.error).toMatch(reason);
      // Nothing of the server's own paths.
      expect(asset.error).not.toContain(stack.mediaDir);
    }
    server.close();
    expect(asked).toEqual([]);
    expect(stack.log.lines.filter((line) => line.startsWith('error'))).toEqual([]);
    expect(await upload(mp4)).toMatchObject({ status: 'ready' });
  });

  it('is tried again after the process has died at it, but not for ever', async () => {
    const left = async (attempts: number) => {
      const { id, playbackId } = (await stack.control.call('POST', '/v1/assets', { body: { name: 'left' } })).body;
      await mkdir(join(stack.mediaDir, id));
      await writeFile(join(stack.mediaDir, id, 'source'), mp4);
      const record = {
        version: 1,
        assetId: id,
        playbackId,
        orgId: 'org_local',
        origin: 'upload',
        state: 'queued',
        attempts,
      };
      const more = { length: mp4.length, filename: '', createdAt: Date.now() };
      await writeFile(join(stack.mediaDir, id, 'asset.json'), JSON.stringify({ ...record, ...more }));
      // Half of what it had written.
      await writeFile(join(stack.mediaDir, id, 'track-0.cmaf'), 'torn');
      return id;
    };
    await stack.engine.close();
    const [once, always] = [await left(1), await left(3)];
    await stack.restart();
    expect(await stack.settled(once)).toMatchObject({ status: 'ready' });
    expect((await stack.settled(always)).error).toBe('packaging it ended the media engine 3 times');
  });
});
