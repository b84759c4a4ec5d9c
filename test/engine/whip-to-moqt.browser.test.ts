import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeCatalog } from '../../src/codec/catalog/streams-catalog.ts';
import { launchChromium } from '../helpers/chromium.ts';
import { publishFrom, sayGoodbye, startWhipPage, whipChromiumArgs } from '../helpers/whip-page.ts';
import { collect, type Group, type Harness, inputId, namespace, startHarness, streamKey, until } from './harness.ts';
import { startLossyProxy } from './lossy-proxy.ts';
import { decodeTimes, expectDecodes } from './received.ts';

let browser: Browser;
let site: Awaited<ReturnType<typeof startWhipPage>>;
const pages: Page[] = [];

beforeAll(async () => {
  site = await startWhipPage();
  browser = await launchChromium({ args: whipChromiumArgs });
});
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});

async function newPage(): Promise<Page> {
  const page = await browser.newPage();
  pages.push(page);
  await page.goto(site.url);
  return page;
}

const endpoint = (harness: Harness) => `${harness.engine.httpUrl}/whip/${inputId}`;
const bytesOf = (groups: Group[]) =>
  groups.flatMap((group) => group.objects).reduce((sum, object) => sum + object.payload.length, 0);

/** Takes what is published, once it is known what that is. */
async function subscribe(harness: Harness, connection = 0) {
  await until(() => harness.relays.length > connection, 'the engine connects to the relay', 15_000);
  const { session, announced } = harness.relays[connection]!;
  await announced;
  const take = async (name: string) =>
    collect(await session.subscribe({ namespace, name }, { filter: { type: 'unfiltered' } }));
  const catalogs = await take('.catalog');
  await until(() => (catalogs[0]?.objects.length ?? 0) > 0, 'a catalog', 15_000);
  const catalog = decodeCatalog(catalogs[0]!.objects[0]!.payload);
  const video = await take(catalog.tracks.find((track) => track.kind === 'video')!.name);
  const audio = await take('audio');
  return { catalog, catalogs, video, audio };
}

const watch = (groups: Group[], seconds: number) => {
  let mark = { at: performance.now(), bytes: bytesOf(groups), frames: decodeTimes(groups).length };
  return () => {
    const elapsed = (performance.now() - mark.at) / 1000;
    if (elapsed < seconds) return undefined;
    const [bytes, frames] = [bytesOf(groups), decodeTimes(groups).length];
    const figures = { bitrate: ((bytes - mark.bytes) * 8) / elapsed, fps: (frames - mark.frames) / elapsed };
    mark = { at: performance.now(), bytes, frames };
    return figures;
  };
};

describe('WHIP in, MoQT out', () => {
  it('takes H.264 and Opus from Chromium at 2 Mbit/s and 30 fps, and ffmpeg decodes what arrives', {
    timeout: 90_000,
  }, async () => {
    await using harness = await startHarness();
    const page = await newPage();
    const published = await publishFrom(page, { url: endpoint(harness), key: streamKey });
    expect(published).toMatchObject({ status: 201, etag: expect.stringMatching(/^".+"$/) });
    const { catalog, video, audio } = await subscribe(harness);
    expect(catalog.tracks).toMatchObject([
      { kind: 'video', codec: expect.stringMatching(/^avc1\./), width: 640, height: 360 },
      { kind: 'audio', codec: 'opus', sampleRate: 48_000, channels: 2 },
    ]);
    // The machine may be busy: two good seconds in a row are what is asked for.
    const measure = watch(video, 2);
    await until(
      () => {
        const figures = measure();
        return figures !== undefined && figures.bitrate >= 2_000_000 && figures.fps >= 29;
      },
      '2 Mbit/s and 30 fps',
      45_000,
    );
    await until(() => harness.control.stats !== undefined, 'figures of the ingest');
    expect(harness.control.stats).toMatchObject({
      publisher: 'whip',
      lostPackets: expect.any(Number),
      jitterMs: expect.any(Number),
      fps: expect.any(Number),
    });
    expect(
      await page.evaluate(() => (window as unknown as { session: { statuses: number[] } }).session.statuses),
    ).toEqual(expect.arrayContaining([204]));
    expect(await sayGoodbye(page)).toBe(200);
    await until(() => harness.engine.stats().live.length === 0, 'the broadcast ends with the session');
    expect(harness.engine.stats().whipSessions).toBe(0);
    // A keyframe every two seconds, though browsers send none by themselves.
    const keyframes = [...video]
      .sort((a, b) => a.groupId - b.groupId)
      .map((group) => decodeTimes([group])[0]! / 90_000);
    for (let i = 2; i < keyframes.length; i++) expect(keyframes[i]! - keyframes[i - 1]!).toBeLessThan(3.5);
    expectContinuous(audio);
    await expectDecodes([video, audio]);
    expect(JSON.stringify(harness.log)).not.toContain(streamKey);
  });

  it.each([
    ['video/VP9', /^vp09\.00\./, 'vp9'],
    ['video/AV1', /^av01\.0\./, 'av1'],
    ['video/VP8', /^vp08\.00\./, 'vp8'],
  ])('takes %s where the offer has nothing else', { timeout: 60_000 }, async (codec, name, decoder) => {
    await using harness = await startHarness();
    const page = await newPage();
    const video = { width: 320, height: 180 };
    const published = await publishFrom(page, { url: endpoint(harness), key: streamKey, codec, video, audio: false });
    expect(published.status).toBe(201);
    await until(() => harness.relays.length > 0, 'the engine connects to the relay', 15_000);
    const { session, announced } = harness.relays[0]!;
    await announced;
    const take = async (track: string) =>
      collect(await session.subscribe({ namespace, name: track }, { filter: { type: 'unfiltered' } }));
    const catalogs = await take('.catalog');
    await until(() => (catalogs[0]?.objects.length ?? 0) > 0, 'a catalog', 15_000);
    const [track] = decodeCatalog(catalogs[0]!.objects[0]!.payload).tracks;
    expect(track!.codec).toMatch(name);
    const groups = await take(track!.name);
    await until(() => decodeTimes(groups).length > 60, 'two seconds of video', 20_000);
    expect(await sayGoodbye(page)).toBe(200);
    expect(await expectDecodes([groups])).toMatchObject([{ codec_name: decoder, width: 320, height: 180 }]);
  });

  it('takes sound alone', { timeout: 30_000 }, async () => {
    await using harness = await startHarness();
    const page = await newPage();
    await publishFrom(page, { url: endpoint(harness), key: streamKey, video: false });
    await until(() => harness.relays.length > 0, 'the engine connects to the relay', 15_000);
    const { session, announced } = harness.relays[0]!;
    await announced;
    const audio = collect(await session.subscribe({ namespace, name: 'audio' }, { filter: { type: 'unfiltered' } }));
    await until(() => decodeTimes(audio).length > 150, 'three seconds of sound', 15_000);
    expect(await sayGoodbye(page)).toBe(200);
    expect(audio.length).toBeGreaterThanOrEqual(3);
    expectContinuous(audio);
    expect(await expectDecodes([audio])).toMatchObject([{ codec_name: 'opus', channels: 2 }]);
  });

  it('asks again for what a line loses, and hardly a picture is missing', { timeout: 60_000 }, async () => {
    await using harness = await startHarness();
    const page = await newPage();
    const proxies: Awaited<ReturnType<typeof startLossyProxy>>[] = [];
    try {
      // The only way is by the lossy line: the answer names it, and the engine is told of no other.
      await page.route(/\/whip\//, async (route) => {
        if (route.request().method() === 'PATCH') return route.fulfill({ status: 204 });
        if (route.request().method() !== 'POST') return route.continue();
        const response = await route.fetch();
        let body = await response.text();
        for (const port of new Set(
          [...body.matchAll(/^a=candidate:\S+ 1 udp \d+ \S+ (\d+) /gm)].map(([, port]) => port!),
        )) {
          const proxy = await startLossyProxy(Number(port), { loss: 0.05, reorder: 0.05, seed: 3 });
          proxies.push(proxy);
          body = body.replaceAll(` ${port} typ`, ` ${proxy.port} typ`);
        }
        return route.fulfill({ response, body });
      });
      await publishFrom(page, { url: endpoint(harness), key: streamKey, video: { width: 320, height: 180 } });
      const { video } = await subscribe(harness);
      await until(() => decodeTimes(video).length > 240, 'eight seconds of video', 30_000);
      await sayGoodbye(page);
      await until(() => harness.engine.stats().live.length === 0, 'the broadcast ends');
      const counts = proxies.map((proxy) => proxy.counts);
      expect(counts.reduce((sum, { lost }) => sum + lost, 0)).toBeGreaterThan(25);
      const closed = harness.log.find((line) => line.message === 'WHIP session closed')!.fields!;
      // Sound is not sent again. Of some thousand packets a few may come too late where the machine stands still for a while.
      expect(closed.videoLost).toBeLessThanOrEqual(5);
      const times = decodeTimes(video);
      const steps = times.slice(1).map((time, i) => time - times[i]!);
      // The sender leaves out frames when it sees loss; a second and a half would be keyframes that were waited for.
      expect(steps.filter((step) => step > 135_000)).toEqual([]);
      await expectDecodes([video]);
    } finally {
      for (const proxy of proxies) await proxy[Symbol.asyncDispose]();
    }
  });

  it('answers a megabyte of SDP in words', { timeout: 30_000 }, async () => {
    await using harness = await startHarness();
    const headers = { authorization: `Bearer ${streamKey}`, 'content-type': 'application/sdp' };
    for (const size of [1 << 20, 8 << 20]) {
      const answer = await fetch(endpoint(harness), {
        method: 'POST',
        headers,
        body: 'a=x\r\n'.repeat(size / 5),
      }).catch(() => undefined);
      // Of eight megabytes the sender may find the line closed first.
      if (size === 1 << 20) expect(answer).toBeDefined();
      if (answer !== undefined) expect(answer.status).toBe(413);
    }
    expect(harness.engine.stats()).toMatchObject({ whipSessions: 0, live: [] });
    expect((await fetch(endpoint(harness), { method: 'OPTIONS' })).status).toBe(204);
  });

  it('goes on with the same broadcast when a lost publisher comes back', { timeout: 60_000 }, async () => {
    await using harness = await startHarness({ graceMs: 10_000 });
    const page = await newPage();
    const video = { width: 320, height: 180 };
    await publishFrom(page, { url: endpoint(harness), key: streamKey, video });
    const received = await subscribe(harness);
    await until(() => decodeTimes(received.video).length > 10, 'video', 15_000);
    const refused = await publishFrom(await newPage(), { url: endpoint(harness), key: streamKey, video });
    expect(refused).toMatchObject({ status: 409, problem: { status: 409, code: 'CONFLICT' } });
    const before = Math.max(...received.video.map((group) => group.groupId));
    await page.close();
    const again = await newPage();
    await until(
      async () => (await publishFrom(again, { url: endpoint(harness), key: streamKey, video })).status === 201,
      'the input is free again',
      15_000,
    );
    await until(() => received.video.some((group) => group.groupId > before + 1), 'more of the same track', 15_000);
    expect(harness.relays).toHaveLength(1);
    const times = decodeTimes(received.video);
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThan(0);
    await sayGoodbye(again);
  });
});

/** Opus frames of 20 ms, none missing on this machine. */
function expectContinuous(audio: Group[]): void {
  const times = decodeTimes(audio);
  const steps = times.slice(1).map((time, i) => time - times[i]!);
  expect(steps.filter((step) => step !== 960).length).toBeLessThan(steps.length / 50);
}
