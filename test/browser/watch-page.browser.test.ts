import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PlayerStats, ViewerStats } from '../../src/sdk/index.ts';
import { launchChromium } from '../helpers/chromium.ts';
import { startEncoder } from '../helpers/ffmpeg.ts';
import { type Stack, startStack } from './stack.ts';

type Stats = PlayerStats & ViewerStats & { state: string; way: 'moqt' | 'hls' };

let stack: Stack;
let browser: Browser;
const pages: Page[] = [];

beforeAll(async () => {
  stack = await startStack();
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.close();
});

async function open(path: string): Promise<Page & { problems: string[] }> {
  const page = await browser.newPage({ viewport: { width: 1180, height: 820 } });
  pages.push(page);
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy|Refused/.test(message.text()))
      problems.push(message.text());
  });
  await page.goto(stack.base + path);
  return Object.assign(page, { problems });
}

const statsOf = (page: Page) =>
  page.evaluate(() => (window as unknown as { streamsPlayer: { stats(): Stats } }).streamsPlayer.stats());

/** Until the video has moved on by `seconds` and decoded `frames`: a busy machine jumps ahead now and then. */
async function plays(page: Page, seconds: number, frames: number): Promise<void> {
  const timeout = { timeout: 20_000 + seconds * 1000 };
  await page.waitForFunction(() => document.querySelector('video')!.currentTime > 0, null, timeout);
  const until = await page.evaluate(
    ([seconds, frames]) => {
      const video = document.querySelector('video')!;
      const decoded = video.getVideoPlaybackQuality().totalVideoFrames;
      return { time: video.currentTime + seconds, frames: decoded + frames };
    },
    [seconds, frames] as const,
  );
  await page.waitForFunction(
    ({ time, frames }) => {
      const video = document.querySelector('video')!;
      return video.currentTime > time && video.getVideoPlaybackQuality().totalVideoFrames > frames;
    },
    until,
    timeout,
  );
}

/** Until it plays from its second session. */
const hasReconnected = (page: Page) =>
  page.waitForFunction(
    () => {
      const { reconnects, state } = (window as unknown as { streamsPlayer: { stats(): Stats } }).streamsPlayer.stats();
      return reconnects === 1 && state === 'playing';
    },
    null,
    { timeout: 15_000 },
  );

const decodes = (page: Page, frames: number) =>
  page.waitForFunction(
    (until) => document.querySelector('video')!.getVideoPlaybackQuality().totalVideoFrames > until,
    frames,
    { timeout: 10_000 },
  );

const shot = async (page: Page, name: string) => {
  const folder = process.env.STREAMS_SCREENSHOTS;
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png` });
};

const without = async (page: Page, names: string[]) =>
  page.addInitScript((gone) => {
    for (const name of gone) Reflect.deleteProperty(globalThis, name);
  }, names);

describe('watch page in Chromium', () => {
  it('waits for an input off air, plays once it is live, waits again, plays again', {
    timeout: 90_000,
  }, async () => {
    const input = await stack.newInput();
    const page = await open(`/watch/${input.id}?tok=${await stack.mint(input.id)}`);
    await page.getByText('Waiting for the stream to start').waitFor({ timeout: 10_000 });
    await shot(page, 'waiting');

    const engine = await stack.goLive(input);
    await plays(page, 3, 45);
    const stats = await statsOf(page);
    expect(stats).toMatchObject({ state: 'playing', rebuilds: 0 });
    expect(stats.width).toBeGreaterThan(0);
    expect(stats.latencyMs).toBeLessThan(3000);
    expect(await page.locator('#badge').textContent()).toBe('Live');
    await shot(page, 'playing');

    await engine.close();
    await page.getByText('Waiting for the stream to start').waitFor({ timeout: 10_000 });
    await stack.goLive(input);
    await page.locator('#badge[data-state="playing"]').waitFor({ timeout: 15_000 });
    await plays(page, 2, 20);
    expect(page.problems).toEqual([]);
  });

  it('goes on by itself, within seconds, when the relay is restarted', { timeout: 60_000 }, async () => {
    const input = await stack.newInput();
    const engine = await stack.goLive(input);
    const page = await open(`/watch/${input.id}?tok=${await stack.mint(input.id)}`);
    await plays(page, 1, 10);
    const restartedAt = performance.now();
    await stack.restartRelay();
    await hasReconnected(page);
    const { decodedFrames } = await statsOf(page);
    await decodes(page, decodedFrames + 25);
    expect(performance.now() - restartedAt).toBeLessThan(8000);
    expect(await statsOf(page)).toMatchObject({ rebuilds: 0, reconnects: 1 });
    expect(page.problems).toEqual([]);
    await engine.close();
  });

  it('says in words when the link is no good', async () => {
    const input = await stack.newInput();
    const token = await stack.mint(input.id);
    const other = await stack.newInput();
    for (const path of [
      `/watch/${input.id}?tok=nonsense`,
      `/watch/${input.id}`,
      `/watch/${input.id}?tok=${token.slice(0, -12)}AAAAAAAAAAAA`,
      `/watch/${other.id}?tok=${token}`,
    ]) {
      const page = await open(path);
      await page.getByText('This link does not open this stream').waitFor({ timeout: 10_000 });
      expect(await page.getByRole('button', { name: 'Try again' }).isVisible()).toBe(true);
      expect(page.problems).toEqual([]);
      await shot(page, 'refused');
    }
  });

  it('plays by WebSocket where there is no WebTransport', { timeout: 60_000 }, async () => {
    const input = await stack.newInput();
    const engine = await stack.goLive(input);
    const page = await browser.newPage();
    pages.push(page);
    let webSockets = 0;
    page.on('websocket', () => webSockets++);
    await page.addInitScript(() => Reflect.deleteProperty(globalThis, 'WebTransport'));
    await page.goto(`${stack.base}/watch/${input.id}?tok=${await stack.mint(input.id)}`);
    await plays(page, 3, 45);
    expect(webSockets).toBe(1);
    expect((await statsOf(page)).latencyMs).toBeLessThan(3000);
    await engine.close();
  });

  it('plays by LL-HLS where there is neither WebTransport nor WebSocket, waits off air, plays again', {
    timeout: 180_000,
  }, async () => {
    const input = await stack.newInput();
    const engine = await stack.goLive(await stack.newInput());
    const rtmpUrl = `rtmp://127.0.0.1:${engine.rtmpPort}/live/${input.id}?sk=${input.streamKey}`;
    const page = await browser.newPage();
    pages.push(page);
    await without(page, ['WebTransport', 'WebSocket']);
    await page.goto(`${stack.base}/watch/${input.id}?tok=${await stack.mint(input.id)}`);
    await page.getByText('Waiting for the stream to start').waitFor({ timeout: 10_000 });
    const encoder = startEncoder(rtmpUrl);
    await plays(page, 3, 45);
    const stats = await statsOf(page);
    expect(stats).toMatchObject({ way: 'hls', state: 'playing', rendition: '360p' });
    // By whole segments nobody is nearer than one of them (2 s). The player makes up for what it stood still by playing a tenth faster, which takes
    // a while where the machine is busy.
    await expect.poll(async () => (await statsOf(page)).latencyMs, { timeout: 60_000 }).toBeLessThan(2000);
    await shot(page, 'hls');

    await encoder.stop();
    await page.getByText('Waiting for the stream to start').waitFor({ timeout: 20_000 });
    const second = startEncoder(rtmpUrl);
    await page.locator('#badge[data-state="playing"]').waitFor({ timeout: 20_000 });
    await plays(page, 2, 20);

    await engine.close();
    await second.stop();
    await page.locator('#badge[data-state="reconnecting"]').waitFor({ timeout: 20_000 });
  });

  it('goes on by LL-HLS when the encoder dials again with another picture size', { timeout: 60_000 }, async () => {
    const input = await stack.newInput();
    const engine = await stack.goLive(await stack.newInput());
    const rtmpUrl = `rtmp://127.0.0.1:${engine.rtmpPort}/live/${input.id}?sk=${input.streamKey}`;
    const first = startEncoder(rtmpUrl);
    const page = await browser.newPage();
    pages.push(page);
    await without(page, ['WebTransport', 'WebSocket']);
    await page.goto(`${stack.base}/watch/${input.id}?tok=${await stack.mint(input.id)}`);
    await plays(page, 3, 45);
    await first.stop();
    const second = startEncoder(rtmpUrl, { size: '480x270' });
    await page.waitForFunction(() => document.querySelector('video')!.videoHeight === 270, null, { timeout: 20_000 });
    await plays(page, 3, 45);
    await second.stop();
    await engine.close();
  });

  it('says in words that a link is no good by LL-HLS too', async () => {
    const input = await stack.newInput();
    const other = await stack.newInput();
    const page = await browser.newPage();
    pages.push(page);
    await without(page, ['WebTransport', 'WebSocket']);
    const engine = await stack.goLive(input);
    await page.goto(`${stack.base}/watch/${input.id}?tok=${await stack.mint(other.id)}`);
    await page.getByText('This link does not open this stream').waitFor({ timeout: 15_000 });
    await engine.close();
  });

  it('says in words when the browser cannot play anything', async () => {
    const input = await stack.newInput();
    const page = await browser.newPage();
    pages.push(page);
    await without(page, ['WebTransport', 'WebSocket', 'MediaSource', 'ManagedMediaSource', 'WebKitMediaSource']);
    await page.goto(`${stack.base}/watch/${input.id}?tok=${await stack.mint(input.id)}`);
    await page.getByText('This browser cannot play the stream').waitFor({ timeout: 10_000 });
  });
});

describe('on a phone', () => {
  it('both pages fit, words and buttons too', async () => {
    const input = await stack.newInput();
    const token = await stack.mint(input.id);
    for (const [path, words] of [
      [`/watch/${input.id}?tok=${token}`, 'Waiting for the stream to start'],
      [`/watch/${input.id}?tok=nonsense`, 'This link does not open this stream'],
      ['/', 'Your streaming stack'],
    ] as const) {
      const page = await open(path);
      await page.setViewportSize({ width: 390, height: 844 });
      await page.getByText(words).waitFor({ timeout: 10_000 });
      const tooLarge = await page.evaluate(() =>
        [document.documentElement, document.querySelector('.notice')]
          .filter((element) => element !== null)
          .filter((e) => e.scrollWidth > e.clientWidth || (e.className === 'notice' && e.scrollHeight > e.clientHeight))
          .map((element) => `${element.tagName}.${element.className}`),
      );
      expect(tooLarge, path).toEqual([]);
    }
  });
});

describe('status page in Chromium', () => {
  it('shows what runs and what to type', async () => {
    const page = await open('/');
    await page.locator('#control-dot[data-ok="true"]').waitFor({ timeout: 10_000 });
    await page.locator('#relay-dot[data-ok="true"]').waitFor({ timeout: 10_000 });
    expect(await page.getByText('streams inputs create').isVisible()).toBe(true);
    expect(page.problems).toEqual([]);
    await shot(page, 'status');
  });
});

describe('renditions in Chromium', () => {
  const heightIs = (page: Page, height: number) =>
    page.waitForFunction((wanted) => document.querySelector('video')!.videoHeight === wanted, height, {
      timeout: 20_000,
    });

  it('changes to a rendition and back by the menu, without setting the player up anew', {
    timeout: 90_000,
  }, async () => {
    const input = await stack.newInput('240p:300k');
    const page = await open(`/watch/${input.id}?tok=${await stack.mint(input.id)}`);
    await stack.goLive(input);
    await plays(page, 1, 15);
    const menu = page.getByLabel('Quality');
    await menu.waitFor({ timeout: 10_000 });
    expect(await menu.locator('option').allTextContents()).toEqual(['Auto', '360p', '240p']);
    expect(await statsOf(page)).toMatchObject({ rendition: '360p', height: 360 });

    await menu.selectOption('240p');
    await heightIs(page, 240);
    await plays(page, 1, 15);
    expect(await statsOf(page)).toMatchObject({ rendition: '240p', rebuilds: 0, state: 'playing' });
    await shot(page, 'rendition');

    await menu.selectOption('Auto');
    await heightIs(page, 360);
    await plays(page, 1, 15);
    expect(await statsOf(page)).toMatchObject({ rendition: '360p', rebuilds: 0, reconnects: 0 });
    expect(page.problems).toEqual([]);
  });

  it('does so by LL-HLS too', { timeout: 90_000 }, async () => {
    const input = await stack.newInput('240p:300k');
    await stack.goLive(input);
    const page = await browser.newPage();
    pages.push(page);
    await without(page, ['WebTransport', 'WebSocket']);
    await page.goto(`${stack.base}/watch/${input.id}?tok=${await stack.mint(input.id)}`);
    await plays(page, 1, 15);
    const menu = page.getByLabel('Quality');
    await menu.waitFor({ timeout: 10_000 });
    expect(await menu.locator('option').allTextContents()).toEqual(['Auto', '360p', '240p']);
    expect(await statsOf(page)).toMatchObject({ way: 'hls', height: 360 });
    await menu.selectOption('240p');
    await heightIs(page, 240);
    await plays(page, 2, 25);
    expect(await statsOf(page)).toMatchObject({ way: 'hls', rendition: '240p', state: 'playing' });
  });
});
