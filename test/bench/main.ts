import { benchCli } from './cli.ts';
import { benchEngine } from './engine.ts';
import { benchHls } from './hls.ts';
import { benchLatency } from './latency.ts';
import { benchNetworks } from './networks/networks.ts';
import { benchRelay } from './relay.ts';
import { benchUpload } from './upload.ts';

/** `npm run bench -- <name> [options]`; design targets and past figures are in docs/benchmarks.md. */
const benches: Record<string, (args: string[], print: (text: string) => void) => Promise<void>> = {
  relay: benchRelay,
  latency: benchLatency,
  engine: benchEngine,
  hls: benchHls,
  upload: benchUpload,
  cli: benchCli,
  networks: benchNetworks,
};

const [name, ...args] = process.argv.slice(2);
const chosen = name === undefined ? Object.keys(benches) : [name];
for (const bench of chosen) {
  const run = benches[bench];
  if (run === undefined) {
    console.error(`no bench named ${bench}; there are: ${Object.keys(benches).join(', ')}`);
    process.exit(2);
  }
  console.log(`\n# ${bench}`);
  await run(args, (text) => console.log(text));
}
process.exit(0);
