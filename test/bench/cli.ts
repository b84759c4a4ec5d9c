import { spawnSync } from 'node:child_process';
import { percentile } from './process-usage.ts';
import { binary, startStack } from './stack.ts';

/** Cold starts of the command line: whole processes, wall time. */
export async function benchCli(args: string[], print: (text: string) => void): Promise<void> {
  const runs = Number(args[0] ?? 10);
  const stack = await startStack();
  const env = { ...stack.env, STREAMS_API_URL: stack.urls.http, STREAMS_API_KEY: stack.apiKey };
  const time = (command: string[]) => {
    const found: number[] = [];
    for (let i = 0; i < runs + 1; i++) {
      const started = performance.now();
      const result = spawnSync(process.execPath, command, { env, stdio: 'ignore' });
      if (result.status !== 0) throw new Error(`${command.join(' ')}: exit ${result.status}`);
      if (i > 0) found.push(performance.now() - started);
    }
    found.sort((a, b) => a - b);
    return `p50 ${percentile(found, 0.5).toFixed(0)} ms  min ${found[0]!.toFixed(0)} ms`;
  };
  try {
    print(`node -e 0               ${time(['-e', '0'])}`);
    print(`streams --version       ${time([binary, '--version'])}`);
    print(`streams inputs list     ${time([binary, 'inputs', 'list', '--json'])}`);
    print(`streams serve → ready   ${stack.readyMs.toFixed(0)} ms`);
  } finally {
    await stack.stop();
  }
}
