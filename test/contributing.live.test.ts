import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { repoRoot, startServe } from './helpers/streams-cli.ts';

const run = promisify(execFile);
const page = readFileSync(join(repoRoot, 'CONTRIBUTING.md'), 'utf8');
const commands = [...page.matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap(([, block]) => block!.split('\n').map((line) => line.replace(/\s+#.*$/, '')))
  .filter((line) => line !== '');
const marked = [...page.replace(/```[\s\S]*?```/g, '').matchAll(/`([^`]+)`/g)].map(([, text]) => text!);

const sources = ['src', 'commands'].flatMap((room) =>
  readdirSync(join(repoRoot, room), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(repoRoot, room, file), 'utf8')),
);

it('names paths and symbols that exist', () => {
  const paths = marked.filter((text) => /^(src|commands|test|docs|native|scripts|fixtures|\.ci)\/[\w./-]*$/.test(text));
  const symbols = marked.filter((text) => /^[A-Za-z]+[A-Z0-9][A-Za-z0-9]*$/.test(text));
  expect(paths.length).toBeGreaterThan(8);
  expect(symbols.length).toBeGreaterThan(12);
  expect(paths.filter((path) => !existsSync(join(repoRoot, path)))).toEqual([]);
  const all = sources.join('\n');
  expect(symbols.filter((symbol) => !new RegExp(`\\b${symbol}\\b`).test(all))).toEqual([]);
});

it('shows npm scripts that exist, and tests that run', { timeout: 120_000 }, async () => {
  const { scripts } = JSON.parse(readFileSync(join(repoRoot, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const named = commands.filter((command) => command.startsWith('npm ') && command !== 'npm ci');
  expect(named.filter((command) => scripts[command.replace(/^npm (run )?/, '')] === undefined)).toEqual([]);
  const tests = commands.filter((command) => command.startsWith('npx '));
  expect([...named, 'npm ci', ...tests].sort()).toEqual([...commands].sort());
  for (const command of tests) {
    const { stdout } = await run('sh', ['-c', command], { cwd: repoRoot, env: { ...process.env, NO_COLOR: '1' } });
    expect(stdout.trim().split('\n').at(-1), command).toMatch(/^[1-9]\d* passed, 0 failed/);
  }
});

it('one process of the stack opens its inspector on SIGUSR1', { timeout: 60_000 }, async () => {
  const before = process.env.NODE_OPTIONS;
  // A free port instead of 9229.
  process.env.NODE_OPTIONS = '--inspect-port=0';
  const serve = await startServe();
  if (before === undefined) delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = before;
  try {
    const { pid } = await serve.line((line) => line.process === 'relay' && line.event === 'ready');
    process.kill(Number(pid), 'SIGUSR1');
    await serve.line((line) => JSON.stringify(line).includes('Debugger listening on ws://127.0.0.1:'));
    expect(await fetch(`${serve.urls.http}/healthz`)).toMatchObject({ status: 200 });
  } finally {
    expect(await serve.stop()).toBe(0);
  }
});

it('a release holds the program, the prebuilt socket and the sources of it, and no tests', {
  timeout: 120_000,
}, async () => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--ignore-scripts', '--json'], {
    cwd: repoRoot,
    maxBuffer: 16 * 2 ** 20,
  });
  const files = (JSON.parse(stdout) as [{ files: { path: string }[] }])[0].files.map(({ path }) => path);
  const wanted = ['bin/streams.js', 'dist/commands/main.js', 'dist/src/sdk/index.js', 'dist/src/sdk/index.d.ts'];
  wanted.push('native/prebuilds/streams-quic-linux-x64-gnu.node', 'native/src/lib.rs', 'relay.example.toml', 'LICENSE');
  expect(wanted.filter((file) => !files.includes(file))).toEqual([]);
  expect(files.filter((file) => /(^|\/)test\//.test(file))).toEqual([]);
});
