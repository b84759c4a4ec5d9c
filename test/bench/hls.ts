import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { needFfmpeg, startEncoder } from './encoder.ts';
import { cpuSeconds, percentile } from './process-usage.ts';
import { createInput, startStack } from './stack.ts';

const usage = 'npm run bench -- hls [--seconds 20] [--starts 3] [--size 1280x720]';

type Figures = { latencyMs: number | undefined; droppedFrames: number; joinMs: number | undefined };

/** LL-HLS in hls.js (Chromium, the watch page without its other ways): latency, start, what it costs the server. */
export async function benchHls(args: string[], print: (text: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '20' },
      starts: { type: 'string', default: '3' },
      size: { type: 'string', default: '1280x720' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return print(usage);
  needFfmpeg();
  const stack = await startStack();
  const input = await createInput(stack);
  const encoder = startEncoder(input.rtmpUrl!, values.size);
  const { launchChromium } = await import('../helpers/chromium.ts');
  const browser = await launchChromium();
  try {
    await sleep(3000);
    const hlsUrl = input.watchUrl.replace('/watch/', '/hls/').replace('?', '/index.m3u8?');
    const asked = performance.now();
    await (await fetch(hlsUrl)).text();
    print(`first playlist of a broadcast    ${(performance.now() - asked).toFixed(0)} ms`);
    const latencies: number[] = [];
    const starts: number[] = [];
    const stalls: number[] = [];
    let cpu = 0;
    let dropped = 0;
    const seconds = Number(values.seconds);
    for (let i = 0; i < Number(values.starts); i++) {
      const page = await browser.newPage();
      await page.addInitScript(() => {
        for (const name of ['WebTransport', 'WebSocket']) Reflect.deleteProperty(globalThis, name);
      });
      const opened = performance.now();
      await page.goto(input.watchUrl, { waitUntil: 'commit' });
      const frames = () => (document.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0) > 0;
      await page.waitForFunction(frames, null, { polling: 20 });
      starts.push(performance.now() - opened);
      await page.evaluate(() => {
        const counted = Object.assign(window, { stalls: 0 });
        document.querySelector('video')!.addEventListener('waiting', () => counted.stalls++);
      });
      const before = cpuSeconds(stack.pids.engine) + cpuSeconds(stack.pids.control);
      const read = () =>
        page.evaluate(() => (window as unknown as { streamsPlayer: { stats(): Figures } }).streamsPlayer.stats());
      for (const end = performance.now() + seconds * 1000; performance.now() < end; ) {
        await sleep(200);
        const { latencyMs } = await read();
        if (latencyMs !== undefined) latencies.push(latencyMs);
      }
      cpu += cpuSeconds(stack.pids.engine) + cpuSeconds(stack.pids.control) - before;
      dropped += (await read()).droppedFrames;
      stalls.push(await page.evaluate(() => (window as unknown as { stalls: number }).stalls));
      await page.close();
    }
    latencies.sort((a, b) => a - b);
    starts.sort((a, b) => a - b);
    const at = (share: number) => `${percentile(latencies, share).toFixed(0)} ms`;
    print(
      `hls.js latency, 200 ms parts     p50 ${at(0.5)}  p90 ${at(0.9)}  p99 ${at(0.99)}  (arrival at the engine → shown)`,
    );
    print(
      `page open → first frame          p50 ${percentile(starts, 0.5).toFixed(0)} ms  max ${starts.at(-1)!.toFixed(0)} ms`,
    );
    print(`stalls ${stalls.join(' ')}, dropped frames ${dropped}`);
    const share = (cpu / (seconds * starts.length)) * 100;
    print(`engine and control CPU, one 2.5 Mbit/s channel with one viewer  ${share.toFixed(1)} % of a core`);
  } finally {
    await browser.close();
    await encoder.stop();
    await stack.stop();
  }
}
