import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BroadcastPublisher, browserConnector, fromHex } from '../../src/sdk/index.ts';
import { launchChromium } from '../helpers/chromium.ts';
import { bundle, sourceFile } from './bundle.ts';
import { type Stack, startStack } from './stack.ts';

type Sdk = {
  BroadcastPublisher: typeof BroadcastPublisher;
  browserConnector: typeof browserConnector;
  fromHex: typeof fromHex;
};

declare global {
  var publisherTest: Sdk;
  var publishing: { publisher: BroadcastPublisher; errors: string[] };
}

let stack: Stack;
let browser: Browser;
let script: string;

beforeAll(async () => {
  stack = await startStack();
  await stack.openEngine();
  script =
    await bundle(`import { BroadcastPublisher, browserConnector, fromHex } from '${sourceFile('src/sdk/index.ts')}';
    globalThis.publisherTest = { BroadcastPublisher, browserConnector, fromHex };`);
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await stack?.[Symbol.asyncDispose]();
});

describe('BroadcastPublisher in Chromium', () => {
  it('publishes what MediaRecorder makes of a canvas, and a watch page plays it', { timeout: 60_000 }, async () => {
    const { id, streamKey } = await stack.newInput('none', 'fmp4');
    const page = await browser.newPage();
    await page.goto(`${stack.base}/healthz`);
    await page.addScriptTag({ content: script, type: 'module' });
    await page.waitForFunction(() => globalThis.publisherTest !== undefined);
    await page.evaluate(
      async ({ path }) => {
        const { BroadcastPublisher, browserConnector, fromHex } = globalThis.publisherTest;
        const { relay } = await (await fetch('/endpoints.json')).json();
        const connect = browserConnector({ certificateHashes: [fromHex(relay.certificateSha256)] });
        const publisher = new BroadcastPublisher({ url: relay.url + path, connect });
        const canvas = document.createElement('canvas');
        [canvas.width, canvas.height] = [320, 180];
        const pen = canvas.getContext('2d')!;
        let frame = 0;
        setInterval(() => {
          pen.fillStyle = `hsl(${frame++ * 7} 80% 50%)`;
          pen.fillRect(0, 0, 320, 180);
          pen.fillStyle = 'white';
          pen.fillRect((frame * 3) % 300, 80, 20, 20);
        }, 40);
        const options: MediaRecorderOptions & { videoKeyFrameIntervalDuration: number } = {
          mimeType: 'video/mp4;codecs=avc1.42001f',
          videoBitsPerSecond: 500_000,
          // Its MP4 has one fragment a keyframe.
          videoKeyFrameIntervalDuration: 500,
        };
        const recorder = new MediaRecorder(canvas.captureStream(25), options);
        let writing = Promise.resolve();
        const errors: string[] = [];
        recorder.ondataavailable = ({ data }) => {
          writing = writing
            .then(async () => publisher.write(new Uint8Array(await data.arrayBuffer())))
            .catch((error) => void errors.push(String(error)));
        };
        recorder.start(100);
        globalThis.publishing = { publisher, errors };
      },
      { path: `/publish/${id}?sk=${streamKey}` },
    );
    const state = () =>
      page.evaluate(() => {
        const { publisher, errors } = globalThis.publishing;
        return { state: publisher.state.name, errors, ...publisher.stats };
      });
    await expect.poll(state, { timeout: 15_000 }).toMatchObject({ state: 'live', errors: [] });
    const watching = await browser.newPage();
    await watching.goto(`${stack.base}/watch/${id}?tok=${await stack.mint(id)}`);
    await watching.waitForFunction(
      () => (document.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0) > 20,
      null,
      { timeout: 20_000 },
    );
    const ended = await page.evaluate(async () => {
      const { publisher } = globalThis.publishing;
      await publisher.finish();
      return (await publisher.ended).reason;
    });
    expect(ended).toBe('complete');
    await page.close();
    await watching.close();
  });
});
