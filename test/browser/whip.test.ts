import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../helpers/chromium.ts';
import { publishFrom, sayGoodbye, startWhipPage, whipChromiumArgs } from '../helpers/whip-page.ts';
import { type Stack, startStack } from './stack.ts';

let stack: Stack;
let site: Awaited<ReturnType<typeof startWhipPage>>;
let browser: Browser;
const pages: Page[] = [];

beforeAll(async () => {
  stack = await startStack();
  await stack.openEngine();
  site = await startWhipPage();
  browser = await launchChromium({ args: whipChromiumArgs });
});
afterAll(async () => {
  await browser?.close();
  await site?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});

async function newPage(): Promise<Page> {
  const page = await browser.newPage();
  pages.push(page);
  return page;
}

/** The state of the video element after `seconds` more of it, with sound decoded on the way. */
async function plays(page: Page, seconds: number) {
  await page.waitForFunction(() => document.querySelector('video')!.currentTime > 0, null, { timeout: 30_000 });
  const decoded = () => {
    const video = document.querySelector('video') as HTMLVideoElement & { webkitAudioDecodedByteCount: number };
    const { totalVideoFrames } = video.getVideoPlaybackQuality();
    return { time: video.currentTime, frames: totalVideoFrames, sound: video.webkitAudioDecodedByteCount };
  };
  const before = await page.evaluate(decoded);
  await page.waitForFunction((until) => document.querySelector('video')!.currentTime > until, before.time + seconds, {
    timeout: 30_000 + seconds * 1000,
  });
  const after = await page.evaluate(decoded);
  return { frames: after.frames - before.frames, sound: after.sound - before.sound };
}

describe('WHIP to the watch page', () => {
  it('H.264 and Opus of one Chromium play in another page, by MoQT and by LL-HLS', { timeout: 120_000 }, async () => {
    const input = await stack.newInput('none', 'whip');
    const publisher = await newPage();
    await publisher.goto(site.url);
    // By the address that users have: the control plane passes it on.
    const url = `${stack.base}/whip/${input.id}`;
    expect(await publishFrom(publisher, { url, key: input.streamKey })).toMatchObject({ status: 201 });
    const link = `${stack.base}/watch/${input.id}?tok=${await stack.mint(input.id)}`;

    const moqt = await newPage();
    await moqt.goto(link);
    const byMoqt = await plays(moqt, 4);
    expect(byMoqt.frames).toBeGreaterThan(60);
    expect(byMoqt.sound).toBeGreaterThan(10_000);
    await moqt.close();

    const hls = await newPage();
    await hls.addInitScript(() => {
      for (const name of ['WebTransport', 'WebSocket']) Reflect.deleteProperty(globalThis, name);
    });
    await hls.goto(link);
    const byHls = await plays(hls, 4);
    expect(byHls.frames).toBeGreaterThan(60);
    expect(byHls.sound).toBeGreaterThan(10_000);

    expect(await sayGoodbye(publisher)).toBe(200);
    await hls.getByText('Waiting for the stream to start').waitFor({ timeout: 20_000 });
  });

  it('says in words that an input takes something else', async () => {
    const input = await stack.newInput();
    const publisher = await newPage();
    await publisher.goto(site.url);
    const video = { width: 320, height: 180 };
    const answer = await publishFrom(publisher, { url: `${stack.base}/whip/${input.id}`, key: input.streamKey, video });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
    expect(JSON.stringify(answer.problem)).toMatch(/rtmp/);
  });
});
