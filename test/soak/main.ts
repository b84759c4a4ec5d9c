import { soakEngine } from './engine.ts';
import { soakHls } from './hls.ts';

/** `npm run soak -- <name> [options]`: what takes too long for the test suite. Past figures are in docs/benchmarks.md. */
const soaks: Record<string, (args: string[], print: (text: string) => void) => Promise<void>> = {
  hls: soakHls,
  engine: soakEngine,
};

const [name, ...args] = process.argv.slice(2);
const run = name === undefined ? undefined : soaks[name];
if (run === undefined) {
  console.error(`npm run soak -- ${Object.keys(soaks).join(' | ')} [--help]`);
  process.exit(2);
}
try {
  await run(args, (text) => console.log(text));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
process.exit(0);
