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

/** Until the video has moved on by `seconds` and decoded `frames`: a busy machine jumps ahead. Answers the sound decoded meanwhile. */
async function plays(page: Page, seconds: number, frames: number): Promise<number> {
  await page.waitForFunction(() => document.querySelector('video')!.currentTime > 0, null, { timeout: 30_000 });
  const decoded = () => {
    const video = document.querySelector('video') as HTMLVideoElement & { webkitAudioDecodedByteCount: number };
    const { totalVideoFrames } = video.getVideoPlaybackQuality();
    return { time: video.currentTime, frames: totalVideoFrames, sound: video.webkitAudioDecodedByteCount };
  };
  const before = await page.evaluate(decoded);
  await page.waitForFunction(
    (until) => {
      const video = document.querySelector('video')!;
      return video.currentTime > until.time && video.getVideoPlaybackQuality().totalVideoFrames > until.frames;
    },
    { time: before.time + seconds, frames: before.frames + frames },
    { timeout: 40_000 },
  );
  return (await page.evaluate(decoded)).sound - before.sound;
}

describe('WHIP to the watch page', () => {
  it('H.264 and Opus of one Chromium play in another page, by MoQT and by LL-HLS', { timeout: 150_000 }, async () => {
    const input = await stack.newInput('none', 'whip');
    const publisher = await newPage();
    await publisher.goto(site.url);
    // By the address that users have: the control plane passes it on.
    const url = `${stack.base}/whip/${input.id}`;
    expect(await publishFrom(publisher, { url, key: input.streamKey })).toMatchObject({ status: 201 });
    const link = `${stack.base}/watch/${input.id}?tok=${await stack.mint(input.id)}`;

    const moqt = await newPage();
    await moqt.goto(link);
    expect(await plays(moqt, 4, 45)).toBeGreaterThan(2000);
    await moqt.close();

    const hls = await newPage();
    await hls.addInitScript(() => {
      for (const name of ['WebTransport', 'WebSocket']) Reflect.deleteProperty(globalThis, name);
    });
    await hls.goto(link);
    expect(await plays(hls, 4, 45)).toBeGreaterThan(2000);

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
