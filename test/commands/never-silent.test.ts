import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Json, startVodStack, type VodStack } from '../engine/vod/stack.ts';
import { finished, repoRoot } from '../helpers/streams-cli.ts';

const binary = join(repoRoot, 'bin', 'streams.js');
const MiB = 1 << 20;

/** The built program with `bytes` on its stdin. */
function pipe(bytes: number, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [binary, ...args], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {});
  child.stdin.end(Buffer.alloc(bytes, 7));
  return finished(child);
}

describe('what is piped in', () => {
  let stack: VodStack;
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    stack = await startVodStack();
    env = { STREAMS_API_URL: stack.base, STREAMS_API_KEY: stack.control.adminKey };
  });
  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
  });
  const upload = (bytes: number) => pipe(bytes, ['assets', 'upload', '-', '--name', `piped ${bytes}`, '--json'], env);
  const assets = async () => (await stack.control.call('GET', '/v1/assets')).body.items as Json[];

  it.each([1, 8 * MiB - 1, 8 * MiB, 8 * MiB + 1, 16 * MiB])('arrives whole: %i bytes', async (bytes) => {
    const { code, stdout, stderr } = await upload(bytes);
    expect([code, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout).asset).toMatchObject({ name: `piped ${bytes}`, bytes });
  });

  it('is refused in words where it is nothing, and leaves nothing behind', async () => {
    const ids = async () => (await assets()).map(({ id }) => id);
    const before = await ids();
    const { code, stdout, stderr } = await upload(0);
    expect([code, stdout]).toEqual([1, '']);
    expect(JSON.parse(stderr).error).toMatchObject({ code: 'NO_MEDIA', message: expect.stringContaining('is empty') });
    expect((await pipe(0, ['assets', 'upload', '/dev/null'], env)).code).not.toBe(0);
    expect(await ids()).toEqual(before);
  });
});

/** The built program, with a command of ours among its own. */
function startWithCommand(run: string, args: readonly string[]) {
  const dist = join(repoRoot, 'dist', 'commands');
  const script = `
    const { commands } = await import(${JSON.stringify(join(dist, 'registry.js'))});
    const spec = { path: ['ours'], summary: 'for the test', examples: [], args: {}, options: {} };
    commands.push({ spec, load: async () => ({ run: ${run} }) });
    const { main } = await import(${JSON.stringify(join(dist, 'main.js'))});
    main(${JSON.stringify(['ours', ...args])});`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'pipe'] });
}

function withCommand(run: string, args: readonly string[]) {
  return finished(startWithCommand(run, args));
}

describe('a command that waits for what never comes', () => {
  it('fails in words', async () => {
    const { code, stdout, stderr } = await withCommand('() => new Promise(() => {})', []);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^✖ the command came to a halt before it was done.* \[INTERNAL\]\nTry: .+\n$/);
  });

  it('fails as JSON with --json, and also when it has said something before', async () => {
    const half =
      '({ output }) => { output.event({ json: { type: "half" }, data: true }); return new Promise(() => {}); }';
    const { code, stdout, stderr } = await withCommand(half, ['--json']);
    expect([code, stdout]).toEqual([1, '{"type":"half"}\n']);
    expect(JSON.parse(stderr)).toMatchObject({ type: 'error', error: { code: 'INTERNAL' } });
  });

  it('fails when its process is ended from within', async () => {
    expect((await withCommand('async () => process.exit()', [])).code).toBe(1);
  });

  it('ends with 0 where it has done its work', async () => {
    expect(await withCommand('async () => {}', [])).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('output that is lost', () => {
  it.each(['--version', 'help exit-codes', 'help exit-codes --json'])('is one line and a failure: %s', async (args) => {
    const shell = `"$0" "$1" ${args} > /dev/full`;
    const { code, stderr } = await finished(spawn('sh', ['-c', shell, process.execPath, binary]));
    expect(code).toBe(1);
    expect(stderr).toContain('the output cannot be written: its disk is full');
    expect(stderr).not.toMatch(/^ +at /m);
  });
});

it.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const)('ends with %s as %i', async (name, code) => {
  const run = `async ({ signal, output }) => {
    const held = setInterval(() => {}, 1000);
    output.plain('here');
    await new Promise((_, no) => signal.addEventListener('abort', () => { clearInterval(held); no(signal.reason); }));
  }`;
  const child = startWithCommand(run, []);
  child.stdout.once('data', () => child.kill(name));
  expect((await finished(child)).code).toBe(code);
});
