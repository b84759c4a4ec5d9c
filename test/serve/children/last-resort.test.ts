import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

const built = (path: string) => JSON.stringify(new URL(`../../../dist/src/${path}`, import.meta.url).href);

/** Runs a program that has the last resort, and returns how it ended and what it logged. */
async function run(
  body: string,
  logger = '(level, message, fields) => console.log(JSON.stringify({ level, message, ...fields }))',
) {
  const program = `
    import { catchTheRest } from ${built('serve/children/last-resort.js')};
    const log = ${logger};
    const logger = Object.fromEntries(['debug', 'info', 'warn', 'error'].map((level) => [level, (...said) => log(level, ...said)]));
    const caught = [];
    const undo = catchTheRest(logger, (error) => caught.push(String(error)));
    ${body}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.resume();
  const [code] = await once(child, 'close');
  const lines = stdout.split('\n').filter((line) => line !== '');
  return { code, lines: lines.map((line) => JSON.parse(line)) };
}

const later = (ms: number, body: string) => `setTimeout(() => { ${body} }, ${ms});`;

it('errors of timers, promises and listeners are logged with their stacks, and the process goes on', async () => {
  const { code, lines } = await run(`
    setTimeout(() => { throw new TypeError('of a timer'); });
    void (async () => { throw new RangeError('of a promise'); })();
    process.nextTick(() => { throw 'no error at all'; });
    ${later(100, 'console.log(JSON.stringify({ caught: caught.sort() }))')}`);
  expect(code).toBe(0);
  expect(lines.at(-1)).toEqual({ caught: ['RangeError: of a promise', 'TypeError: of a timer', 'no error at all'] });
  const said = lines.slice(0, -1);
  expect(said.map(({ error }) => error).sort()).toEqual([
    'RangeError: of a promise',
    'TypeError: of a timer',
    'no error at all',
  ]);
  for (const { level, message } of said) expect([level, message]).toEqual(['error', 'an error that nobody caught']);
  expect(said.find(({ error }) => error.startsWith('TypeError')).stack).toContain('at ');
  expect(said.map(({ origin }) => origin).sort()).toEqual([
    'uncaughtException',
    'uncaughtException',
    'unhandledRejection',
  ]);
});

it('a flood of errors writes few lines, and a key in a URL none', async () => {
  const { code, lines } = await run(`
    for (let i = 0; i < 1000; i++) setImmediate(() => { throw new Error('no answer from https://host/publish/lv_1?sk=secret'); });
    ${later(300, 'console.log(JSON.stringify({ caught: caught.length }))')}`);
  expect(code).toBe(0);
  expect(lines.at(-1)).toEqual({ caught: 1000 });
  expect(lines.length).toBeLessThan(40);
  expect(JSON.stringify(lines)).not.toContain('secret');
});

it('an error of the catching itself ends the process with exit code 1', async () => {
  const { code } = await run(
    `setTimeout(() => { throw new Error('first'); }); ${later(2000, '')}`,
    "() => { throw new Error('nobody reads the log') }",
  );
  expect(code).toBe(1);
});

it('is over when it is undone', async () => {
  const { code, lines } = await run(`undo(); setTimeout(() => { throw new Error('nobody is there'); });`);
  expect([code, lines]).toEqual([1, []]);
});
