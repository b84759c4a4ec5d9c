// `npm run fuzz -- [--sessions] --minutes 10 [--seed 1]`: the fuzz tests, or those of whole sessions alone, over and over, every pass
// with a seed of its own. Ends at the first pass that fails, hangs or grows, and says how to see it again.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    sessions: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const tests = values.sessions ? 'test/fuzz/sessions' : 'test/fuzz';
const minutes = Number(values.minutes);
let seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error('npm run fuzz -- [--sessions] [--minutes 10] [--seed 1]');
  process.exit(2);
}

/** A pass takes seconds; one that takes this long hangs. */
const passMs = 5 * 60_000;
/** A worker needs about 200 MiB, whatever the seed. */
const maxRssKib = 1 << 20;

const folder = mkdtempSync(join(tmpdir(), 'streams-fuzz-'));

function run(pass) {
  return new Promise((resolve) => {
    const report = join(folder, `${pass}.ndjson`);
    const env = { ...process.env, STREAMS_FUZZ_SEED: String(pass), STREAMS_FUZZ_REPORT: report };
    const args = [
      join('node_modules', 'vitest', 'vitest.mjs'),
      'run',
      tests,
      '--reporter=dot',
      `--testTimeout=${passMs}`,
    ];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    let text = '';
    child.stdout.on('data', (data) => (text += data));
    child.stderr.on('data', (data) => (text += data));
    const timer = setTimeout(() => process.kill(-child.pid, 'SIGKILL'), passMs);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const rows = linesOf(report).map((line) => JSON.parse(line));
      resolve({
        failed: signal !== null ? 'it hangs' : code !== 0 ? 'it failed' : undefined,
        text,
        executions: rows.reduce((sum, row) => sum + row.executions, 0),
        rssKib: Math.max(0, ...rows.map((row) => row.maxRssKib)),
      });
    });
  });
}

function linesOf(file) {
  try {
    return readFileSync(file, 'utf8').trim().split('\n');
  } catch {
    return [];
  }
}

const until = Date.now() + minutes * 60_000;
let [passes, executions, rssKib] = [0, 0, 0];
let outcome;
for (; Date.now() < until && outcome === undefined; seed++) {
  const pass = await run(seed);
  passes++;
  executions += pass.executions;
  rssKib = Math.max(rssKib, pass.rssKib);
  outcome = pass.failed ?? (pass.rssKib > maxRssKib ? 'it grew' : undefined);
  if (outcome !== undefined) {
    console.error(pass.text);
    console.error(`✖ seed ${seed}: ${outcome}\nTry: STREAMS_FUZZ_SEED=${seed} npx vitest run ${tests}`);
  }
}
rmSync(folder, { recursive: true, force: true });
console.log(`${passes} passes, ${executions} executions, largest worker ${Math.round(rssKib / 1024)} MiB`);
process.exit(outcome === undefined ? 0 : 1);
