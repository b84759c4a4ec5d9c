import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { needFfmpeg } from './encoder.ts';
import { cpuSeconds } from './process-usage.ts';
import { binary, createInput, type Stack, startStack } from './stack.ts';

const usage = 'npm run bench -- engine [--seconds 15]';

type Latency = { latencyMs: { p50: number; p99: number }; objects: number; gaps: number };

/** A clip with nothing left to encode, so that the sender costs next to nothing: 30 fps, a keyframe a second, no B-frames. */
async function makeClip(folder: string, size: string, rate: string): Promise<string> {
  const file = join(folder, `${size}.flv`);
  execFileSync(
    'ffmpeg',
    // biome-ignore format: one option a line says less
    ['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-f', 'lavfi', '-i', 'sine=sample_rate=48000', '-t', '10',
     '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '30', '-b:v', rate, '-maxrate', rate, '-bufsize', rate,
     '-c:a', 'aac', '-b:a', '96k', '-f', 'flv', file],
  );
  return file;
}

function send(file: string, rtmpUrl: string): { stop(): Promise<void> } {
  const args = ['-v', 'error', '-nostdin', '-re', '-stream_loop', '-1', '-i', file, '-c', 'copy', '-f', 'flv', rtmpUrl];
  const sender: ChildProcess = spawn('ffmpeg', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  return {
    async stop() {
      sender.kill('SIGKILL');
      await once(sender, 'close');
    },
  };
}

async function watch(url: string, track: string, seconds: number, env: NodeJS.ProcessEnv): Promise<Latency> {
  const args = [binary, 'watch', url, '--json', '--track', track, '--duration', `${seconds}s`];
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (data) => {
    out += data;
  });
  await once(child, 'close');
  return JSON.parse(out.trim().split('\n').at(-1)!);
}

async function metric(stack: Stack, name: string): Promise<number> {
  const text = await (await fetch(`${stack.urls.http}/metrics`)).text();
  return Number(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
}

const ms = ({ latencyMs: { p50, p99 }, objects, gaps }: Latency) =>
  `p50 ${p50.toFixed(1)} ms  p99 ${p99.toFixed(1)} ms  (${objects} objects, ${gaps} gaps)`;

/**
 * One channel passed through, then one with three renditions: from the arrival of a frame at the engine (`prft`) to its object
 * at a viewer over the relay, and CPU of the engine and of its ffmpeg by the second of media.
 */
export async function benchEngine(args: string[], print: (text: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { seconds: { type: 'string', default: '15' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return print(usage);
  needFfmpeg();
  const seconds = Number(values.seconds);
  const folder = await mkdtemp(join(tmpdir(), 'streams-bench-'));
  const stack = await startStack();
  try {
    const small = await makeClip(folder, '1280x720', '2500k');
    const large = await makeClip(folder, '1920x1080', '4500k');
    print(`load average at the start ${loadavg()[0]!.toFixed(1)}`);

    const plain = await createInput(stack);
    const one = send(small, plain.rtmpUrl!);
    await sleep(3000);
    const [before, since] = [cpuSeconds(stack.pids.engine), performance.now()];
    const source = await watch(plain.url, 'video/720p', seconds, stack.env);
    const share = ((cpuSeconds(stack.pids.engine) - before) / (performance.now() - since)) * 100_000;
    await one.stop();
    print(`720p30, 2.5 Mbit/s, passed through: access unit in → object at a viewer  ${ms(source)}`);
    print(`engine CPU of the channel ${share.toFixed(1)} % of a core`);
    // Its broadcast is over before the next figure is taken.
    await sleep(4000);

    const tall = await createInput(stack, 'auto');
    const two = send(large, tall.rtmpUrl!);
    await sleep(3000);
    const [engine, from] = [cpuSeconds(stack.pids.engine), performance.now()];
    const names = ['video/1080p', 'video/720p', 'video/480p', 'video/360p'];
    const all = await Promise.all(names.map((name) => watch(tall.url, name, seconds, stack.env)));
    const engineShare = ((cpuSeconds(stack.pids.engine) - engine) / (performance.now() - from)) * 100_000;
    await sleep(2500);
    const cost = await metric(stack, 'streams_transcode_cpu_seconds_total');
    const media = await metric(stack, 'streams_transcode_media_seconds_total');
    await two.stop();
    print('1080p30, 4.5 Mbit/s, with three renditions: frame in → fragment at a viewer');
    names.forEach((name, i) => {
      print(`  ${name.padEnd(12)} ${ms(all[i]!)}`);
    });
    print(
      `ffmpeg ${(cost / media).toFixed(2)} CPU-s per media second (${media.toFixed(0)} s); engine ${engineShare.toFixed(1)} % of a core`,
    );
    print(`load average at the end ${loadavg()[0]!.toFixed(1)}`);
  } finally {
    await stack.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
