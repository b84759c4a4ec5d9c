import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { needFfmpeg, startEncoder } from './encoder.ts';
import { cpuSeconds, percentile } from './process-usage.ts';
import { binary, createInput, startStack } from './stack.ts';

const usage = 'npm run bench -- latency [--seconds 10] [--joins 10] [--size 1280x720] [--no-browser]';

type Summary = {
  latencyMs: { p50: number; p99: number };
  joinMs: number;
  groups: number;
  objects: number;
  gaps: number;
};

async function watch(url: string, seconds: number, env: NodeJS.ProcessEnv): Promise<Summary> {
  const child = spawn(process.execPath, [binary, 'watch', url, '--json', '--duration', `${seconds}s`], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let out = '';
  child.stdout.on('data', (data) => {
    out += data;
  });
  await once(child, 'close');
  return JSON.parse(out.trim().split('\n').at(-1)!);
}

/** Page open → first frame painted, ms, in a fresh Chromium context each time. */
async function pageStarts(watchUrl: string, times: number): Promise<number[]> {
  const { launchChromium } = await import('../helpers/chromium.ts');
  const browser = await launchChromium();
  const found: number[] = [];
  try {
    for (let i = 0; i < times; i++) {
      const page = await browser.newPage();
      const started = performance.now();
      await page.goto(watchUrl, { waitUntil: 'commit' });
      await page.waitForFunction(
        () => (document.querySelector('video')?.getVideoPlaybackQuality().totalVideoFrames ?? 0) > 0,
        null,
        { polling: 20 },
      );
      found.push(performance.now() - started);
      await page.close();
    }
  } finally {
    await browser.close();
  }
  return found;
}

/** RTMP in (access unit complete at the engine) → object at a viewer, viewer join, page start, and the engine's CPU per channel. */
export async function benchLatency(args: string[], print: (text: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      seconds: { type: 'string', default: '10' },
      joins: { type: 'string', default: '10' },
      size: { type: 'string', default: '1280x720' },
      'no-browser': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return print(usage);
  needFfmpeg();
  const stack = await startStack();
  const input = await createInput(stack);
  const encoder = startEncoder(input.rtmpUrl!, values.size);
  try {
    await sleep(3000);
    const cpu = { engine: cpuSeconds(stack.pids.engine), relay: cpuSeconds(stack.pids.relay) };
    const seconds = Number(values.seconds);
    const summary = await watch(input.url, seconds, stack.env);
    const share = (name: 'engine' | 'relay') =>
      (((cpuSeconds(stack.pids[name]) - cpu[name]) / (seconds + 0.5)) * 100).toFixed(1);
    print(`serve start → ready             ${stack.readyMs.toFixed(0)} ms`);
    print(
      `RTMP in → object at viewer      p50 ${summary.latencyMs.p50.toFixed(1)} ms  p99 ${summary.latencyMs.p99.toFixed(1)} ms  (${summary.objects} objects, ${summary.gaps} gaps)`,
    );
    print(`engine CPU, one 2.5 Mbit/s channel ${share('engine')} % of a core; relay ${share('relay')} %`);
    const joins: number[] = [];
    for (let i = 0; i < Number(values.joins); i++) joins.push((await watch(input.url, 1, stack.env)).joinMs);
    joins.sort((a, b) => a - b);
    print(
      `viewer join → first media object p50 ${percentile(joins, 0.5).toFixed(0)} ms  max ${joins.at(-1)!.toFixed(0)} ms  (${joins.length} joins)`,
    );
    if (!values['no-browser']) {
      const starts = (await pageStarts(input.watchUrl, 5)).sort((a, b) => a - b);
      print(
        `page open → first frame          p50 ${percentile(starts, 0.5).toFixed(0)} ms  max ${starts.at(-1)!.toFixed(0)} ms  (Chromium, ${starts.length} pages)`,
      );
    }
  } finally {
    await encoder.stop();
    await stack.stop();
  }
}
