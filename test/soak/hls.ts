import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { needFfmpeg } from '../bench/encoder.ts';
import { startStack } from '../bench/stack.ts';
import { watchSwitching } from '../engine/hls/switching.ts';
import { startSoaked } from './encoders.ts';

const usage = 'npm run soak -- hls [--minutes 1]';

/**
 * Every rule of LL-HLS on a live stream, with a rendition switch and back, and a publisher that goes and comes back in the
 * middle. Throws when one was broken.
 */
export async function soakHls(args: string[], print: (text: string) => void): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { minutes: { type: 'string', default: '1' }, help: { type: 'boolean', default: false } },
  });
  if (values.help) return print(usage);
  needFfmpeg();
  const seconds = Number(values.minutes) * 60;
  const stack = await startStack();
  const encoder = await startSoaked(stack, 'rtmp', { size: '640x360', ladder: '180p:200k' });
  try {
    await sleep(4000);
    const { id, token } = encoder.input;
    const base = `${stack.urls.http}/hls/${id}/`;
    const followed = await watchSwitching({ base, token, seconds, disturb: () => encoder.restart() });
    const names = ['sound', 'first variant', 'last variant', 'first again'];
    for (const [i, found] of followed.entries()) {
      const { problems, reloads, deltas, discontinuities, timeouts, segments } = found;
      print(
        `${names[i]!.padEnd(14)} ${reloads} reloads (${deltas} deltas), ${segments} segments, ${discontinuities} discontinuities, ${timeouts} timeouts, ${problems.length} problems`,
      );
      for (const problem of problems.slice(0, 20)) print(`  ${problem}`);
    }
    const problems = followed.reduce((sum, found) => sum + found.problems.length, 0);
    if (problems > 0) throw new Error(`${problems} rules were broken`);
  } finally {
    await encoder.stop();
    await stack.stop();
  }
}
