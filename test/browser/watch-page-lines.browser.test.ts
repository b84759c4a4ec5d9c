import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { PlayerStats } from '../../src/sdk/index.ts';
import { type BlockedLine, blockedLine } from '../helpers/blocked-line.ts';
import { launchChromium } from '../helpers/chromium.ts';
import { type Stack, startStack } from './stack.ts';

type Stats = PlayerStats & { state: string; way: 'moqt' | 'hls' };

let stack: Stack;
let browser: Browser;
beforeAll(async () => {
  stack = await startStack();
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
});

async function open(blocked: { udp?: boolean; tcp?: boolean }): Promise<{ page: Page; line: BlockedLine }> {
  const input = await stack.newInput();
  const engine = await stack.goLive(input);
  const line = await blockedLine(stack.relayPort, blocked);
  stack.tellRelayPort(line.port);
  const page = await browser.newPage();
  onTestFinished(async () => {
    await page.close();
    stack.tellRelayPort(undefined);
    await line[Symbol.asyncDispose]();
    await engine.close();
  });
  await page.goto(`${stack.base}/watch/${input.id}?tok=${await stack.mint(input.id)}`);
  return { page, line };
}

/** Until it plays in this way, and goes on doing so. */
async function plays(page: Page, way: Stats['way'], timeout: number): Promise<void> {
  const isSo = (wanted: { way: string; from: number }) => {
    const { stats } = (window as unknown as { streamsPlayer: { stats(): Stats } }).streamsPlayer;
    const { state, way: is } = stats();
    return is === wanted.way && state === 'playing' && document.querySelector('video')!.currentTime > wanted.from;
  };
  await page.waitForFunction(isSo, { way, from: 0 }, { timeout });
  const from = (await page.evaluate(() => document.querySelector('video')!.currentTime)) + 1;
  await page.waitForFunction(isSo, { way, from }, { timeout: 15_000 });
}

it('plays by LL-HLS where neither UDP nor TCP reach the relay, and by the relay again when they do', {
  timeout: 90_000,
}, async () => {
  const { page, line } = await open({ udp: true, tcp: true });
  await plays(page, 'hls', 30_000);
  line.block({ udp: false, tcp: false });
  await plays(page, 'moqt', 30_000);
});

it('says that it stalls, counts latency on, and goes on by LL-HLS when the relay goes silent in mid-session', {
  timeout: 90_000,
}, async () => {
  const { page, line } = await open({});
  await plays(page, 'moqt', 15_000);
  line.block({ udp: true, tcp: true });
  await page.locator('#badge[data-state="stalled"]').waitFor({ timeout: 3000 });
  await page.waitForFunction(
    () => (window as unknown as { streamsPlayer: { stats(): Stats } }).streamsPlayer.stats().latencyMs! > 2000,
    null,
    { timeout: 5000 },
  );
  await plays(page, 'hls', 30_000);
});

it('says that WebTransport needs HTTPS where the page is plain and from another host, and not on this one', async () => {
  const { page } = await open({});
  expect(await page.getByText('it needs HTTPS').isVisible()).toBe(false);
  await page.addInitScript(() => Object.defineProperty(window, 'isSecureContext', { value: false }));
  await page.reload();
  await page.getByText('it needs HTTPS').waitFor({ timeout: 10_000 });
}, 30_000);
