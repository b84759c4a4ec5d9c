import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { cpuSeconds, residentBytes } from './process-usage.ts';
import { binary, type Stack, startStack } from './stack.ts';

const usage = 'npm run bench -- upload [--sizes 256,1024] (MB)';

/** Uploads over loopback through the control plane to the engine's disk: bytes per second, and the memory it takes. */
export async function benchUpload(args: string[], print: (text: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { sizes: { type: 'string', default: '256,1024' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return print(usage);
  const stack = await startStack();
  const folder = await mkdtemp(join(tmpdir(), 'streams-bench-upload-'));
  try {
    for (const size of values.sizes.split(',').map(Number)) {
      const bytes = size * 1e6;
      await measured(stack, `${size} MB, one request`, bytes, print, () => plain(stack, bytes));
      const file = join(folder, `${size}.bin`);
      const handle = await open(file, 'w');
      await handle.truncate(bytes);
      await handle.close();
      await measured(stack, `${size} MB, streams assets upload`, bytes, print, () => cli(stack, file));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
    await stack.stop();
  }
}

async function measured(
  { pids }: Stack,
  what: string,
  bytes: number,
  print: (text: string) => void,
  run: () => Promise<void>,
): Promise<void> {
  const processes = [pids.control, pids.engine];
  const cpuBefore = processes.map(cpuSeconds);
  const before = processes.map(residentBytes);
  const peak = [...before];
  const timer = setInterval(() => {
    for (const [i, pid] of processes.entries()) peak[i] = Math.max(peak[i]!, residentBytes(pid));
  }, 20);
  const started = performance.now();
  await run();
  const seconds = (performance.now() - started) / 1000;
  clearInterval(timer);
  const cpu = processes.reduce((sum, pid, i) => sum + cpuSeconds(pid) - cpuBefore[i]!, 0);
  const grown = (i: number) => `+${((peak[i]! - before[i]!) / 1e6).toFixed(0)} MB`;
  const rate = `${(bytes / 1e6 / seconds).toFixed(0)} MB/s`;
  print(
    `${what.padEnd(34)} ${rate.padStart(9)}   server CPU ${(cpu / (bytes / 1e9)).toFixed(2)} s/GB   memory: control ${grown(0)}, engine ${grown(1)}`,
  );
}

/** One POST of zeros, from this process. */
async function plain(stack: Stack, bytes: number): Promise<void> {
  const sent = request(`${stack.urls.http}/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack.apiKey}`, 'upload-complete': '?1', 'content-length': bytes },
  });
  const answered = once(sent, 'response');
  const chunk = Buffer.alloc(1 << 20);
  for (let left = bytes; left > 0; left -= chunk.length)
    if (!sent.write(left < chunk.length ? chunk.subarray(0, left) : chunk)) await once(sent, 'drain');
  sent.end();
  const [response] = await answered;
  response.resume();
  if (response.statusCode !== 201) throw new Error(`the upload was answered ${response.statusCode}`);
}

async function cli(stack: Stack, file: string): Promise<void> {
  const env = { ...stack.env, STREAMS_API_URL: stack.urls.http, STREAMS_API_KEY: stack.apiKey };
  const child = spawn(process.execPath, [binary, 'assets', 'upload', file, '--json'], { env, stdio: 'ignore' });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`streams assets upload ended with ${code}`);
}
