import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { finished, type Line, runStreams } from '../helpers/streams-cli.ts';
import { binary, isAlive, type Stack, serveArgs, stackEnv, startStack } from './stack.ts';
import { until } from './until.ts';

let folder: string;
let stack: Stack | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-serve-'));
});
afterEach(async () => {
  await stack?.end('SIGTERM');
  stack = undefined;
  await rm(folder, { recursive: true, force: true });
});

const start = async (args: readonly string[] = []) => {
  stack = await startStack(folder, args);
  return stack;
};
const run = (...args: string[]) => runStreams(args, { env: stackEnv(folder) });
/** What the commands used here answer. */
type Answer = {
  type: string;
  input: { id: string; name: string };
  inputs: { id: string }[];
  streamKey: string;
  urls: { rtmp: string };
  url: string;
  watchUrl: string;
  token: string;
  expiresAt: string;
  catalog: { tracks: { kind: string }[] };
};
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Answer;
};
const childPids = ({ lines }: Stack) =>
  lines.filter(({ type, event }) => type === 'child' && event === 'ready').map(({ pid }) => Number(pid));

describe('streams serve', () => {
  it('starts the three processes in order, and inputs and tokens can be made', async () => {
    const { lines, ready } = await start();
    expect(lines.filter(({ event }) => event === 'ready').map(({ process }) => process)).toEqual([
      'control',
      'relay',
      'engine',
    ]);
    expect(ready.urls.http).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(ready.urls.relay).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    expect(ready.urls.rtmp).toMatch(/^rtmp:\/\/127\.0\.0\.1:\d+\/live$/);
    expect(Object.keys(ready.urls)).toEqual(['http', 'relay', 'rtmp', 'srt']);
    expect(ready.urls.srt).toMatch(/^srt:\/\/127\.0\.0\.1:\d+$/);
    expect(ready.apiKey).toMatch(/^ak_live_/);

    const created = await json('inputs', 'create', '--name', 'show', '--ingest', 'rtmp');
    expect(created).toMatchObject({
      version: 1,
      type: 'input',
      input: { name: 'show', ingest: 'rtmp', status: 'idle' },
    });
    expect(created.urls.rtmp).toBe(`${ready.urls.rtmp}/${created.input.id}?sk=${created.streamKey}`);
    const minted = await json('playback', 'mint', created.input.id, '--ttl', '1h');
    expect(minted).toMatchObject({ version: 1, type: 'playback', alg: 'EdDSA' });
    expect(minted.url).toBe(`${ready.urls.relay}/playback/${created.input.id}?tok=${minted.token}`);
    expect(minted.watchUrl).toBe(`${ready.urls.http}/watch/${created.input.id}?tok=${minted.token}`);
    expect(new Date(minted.expiresAt).getTime()).toBeGreaterThan(Date.now() + 3_500_000);
    expect((await json('inputs', 'list')).inputs).toHaveLength(1);

    const missing = await run('inputs', 'get', 'lv_0000000000000000000000', '--json');
    expect(missing.code).toBe(5);
    expect(JSON.parse(missing.stderr).error.code).toBe('NOT_FOUND');
    const secrets = [created.streamKey, minted.token, ready.apiKey];
    const logged = JSON.stringify(lines.filter(({ type }) => type === 'log'));
    for (const secret of secrets) expect(logged).not.toContain(secret);
  });

  it('ends with 0 on Ctrl-C, in order, leaving nobody and no lock', async () => {
    const running = await start();
    const pids = childPids(running);
    expect(pids).toHaveLength(3);
    expect((await running.end('SIGINT')).code).toBe(0);
    expect(running.lines.filter(({ event }) => event === 'stopped')).toMatchObject([
      { process: 'engine', killed: false },
      { process: 'relay', killed: false },
      { process: 'control', killed: false },
    ]);
    expect(pids.filter(isAlive)).toEqual([]);
    stack = undefined;
    expect((await (await start()).end('SIGTERM')).code).toBe(0);
  });

  it('takes two signals at once, as npx sends them, for one', async () => {
    const running = await start();
    running.child.kill('SIGINT');
    expect((await running.end('SIGINT')).code).toBe(0);
    expect(running.lines.filter(({ event }) => event === 'stopped')).toHaveLength(3);
  });

  it('shows the API key once, keeps it, and makes another only when it was lost', async () => {
    const first = await start();
    const profiles = () => readFile(join(folder, 'config', 'profiles.json'), 'utf8').then(JSON.parse);
    expect((await profiles()).profiles.local).toEqual({ apiUrl: first.ready.urls.http, apiKey: first.ready.apiKey });
    await first.end('SIGINT');
    const second = await start();
    expect(second.ready.apiKey).toBeUndefined();
    expect((await profiles()).profiles.local).toEqual({ apiUrl: second.ready.urls.http, apiKey: first.ready.apiKey });
    expect((await json('inputs', 'list')).inputs).toEqual([]);
    await second.end('SIGINT');
    await rm(join(folder, 'config'), { recursive: true });
    const third = await start();
    expect(third.ready.apiKey).toMatch(/^ak_live_/);
    expect(third.ready.apiKey).not.toBe(first.ready.apiKey);
    expect((await json('inputs', 'list')).inputs).toEqual([]);
  });

  it('refuses a second serve on its data directory, naming the pid', async () => {
    const { child } = await start();
    const second = await run(...serveArgs(folder), '--json');
    expect(second.code).toBe(5);
    expect(JSON.parse(second.stderr).error).toMatchObject({
      code: 'CONFLICT',
      message: expect.stringContaining(`pid ${child.pid}`),
    });
    expect(second.stdout).toBe('');
    expect((await json('inputs', 'list')).inputs).toEqual([]);
  });

  it('leaves no orphans when it is killed, and starts again on what it left', async () => {
    const running = await start();
    const pids = childPids(running);
    await running.end('SIGKILL');
    await until(() => !pids.some(isAlive));
    const again = await start();
    expect(again.ready.apiKey).toBeUndefined();
  });

  it('ends quietly when nobody reads its output', async () => {
    const child = spawn(
      'sh',
      ['-c', `"$@" | head -n 1`, 'sh', process.execPath, binary, ...serveArgs(folder), '--json'],
      {
        env: stackEnv(folder),
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const { stdout, stderr } = await finished(child);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(stderr).toBe('');
  });

  it.each(['control', 'relay', 'engine'])('brings %s back after kill -9, where it was', async (victim) => {
    const { ready, line, lines } = await start();
    const created = await json('inputs', 'create', '--name', 'show');
    const { pid } = await line({ type: 'child', event: 'ready', process: victim });
    const from = lines.length;
    process.kill(Number(pid), 'SIGKILL');
    await line({ type: 'child', event: 'exit', process: victim }, from);
    await line({ type: 'child', event: 'ready', process: victim }, from);
    const minted = await json('playback', 'mint', created.input.id);
    expect(minted.url).toContain(`${ready.urls.relay}/playback/`);
    const rotated = await json('inputs', 'rotate-key', created.input.id);
    expect(rotated.urls.rtmp).toContain(ready.urls.rtmp);
    const health = await fetch(`${ready.urls.relay.replace('https', 'http')}/health`);
    expect(health.status).toBe(200);
  });
});

describe('a port that is taken', () => {
  it.each(['http', 'relay', 'rtmp', 'srt'])('is one clear line: %s', async (name) => {
    const port = await takePort(name === 'relay' || name === 'srt' ? 'udp' : 'tcp');
    try {
      const argv = [...serveArgs(folder), `--${name}-port`, String(port.number)];
      const human = await run(...argv);
      expect(human.code).toBe(5);
      const lines = human.stderr.split('\n').filter((text) => text !== '' && !text.startsWith('['));
      expect(lines).toHaveLength(2);
      expect(lines[0]).toMatch(new RegExp(`^✖ .*${port.number}.* \\[PORT_IN_USE\\]$`));
      expect(lines[1]).toMatch(new RegExp(`^Try: .*--${name}-port`));
      const asJson = await run(...argv, '--json');
      expect(asJson.code).toBe(5);
      expect(JSON.parse(asJson.stderr).error.code).toBe('PORT_IN_USE');
    } finally {
      await port.free();
    }
  });

  async function takePort(kind: 'udp' | 'tcp') {
    if (kind === 'udp') {
      const socket = createSocket('udp4');
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      return { number: socket.address().port, free: () => new Promise<void>((done) => socket.close(done)) };
    }
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    return { number: port, free: () => new Promise<void>((done) => void server.close(() => done())) };
  }
});

describe('processes that run alone', () => {
  it.each([
    [['--only', 'relay'], '--control-url'],
    [['--only', 'engine', '--control-url', 'http://127.0.0.1:1'], '--control-url'],
    [['--only', 'control'], 'STREAMS_SERVICE_TOKEN'],
    [['--only', 'control,relay', '--demo'], 'STREAMS_SERVICE_TOKEN'],
  ])('%j is refused in words', async (args, hint) => {
    const { code, stderr } = await run(...serveArgs(folder), ...args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^✖ .* \[USAGE\]\nTry: /);
    expect(stderr).toContain(hint);
  });

  it('work together with a service token they share', async () => {
    const token = { STREAMS_SERVICE_TOKEN: 'known-to-both-of-them' };
    const env = { ...stackEnv(folder), ...token };
    const control = spawn(process.execPath, [binary, ...serveArgs(folder), '--only', 'control', '--json'], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let relay: ReturnType<typeof spawn> | undefined;
    const ended = [finished(control)];
    try {
      const { urls } = await firstReady(control);
      expect(Object.keys(urls)).toEqual(['http']);
      const argv = [binary, ...serveArgs(folder), '--only', 'relay', '--control-url', urls.http!, '--json'];
      relay = spawn(process.execPath, argv, { env, stdio: ['ignore', 'pipe', 'pipe'] });
      ended.push(finished(relay));
      expect(Object.keys((await firstReady(relay)).urls)).toEqual(['relay']);
      const wrong = await runStreams([...argv.slice(1), '--data-dir', join(folder, 'other')], {
        env: { ...env, STREAMS_SERVICE_TOKEN: 'known-to-one-of-them-only' },
      });
      expect(JSON.parse(wrong.stderr).error).toMatchObject({ code: 'UNAUTHORIZED' });
      expect(wrong.code).toBe(3);
    } finally {
      relay?.kill('SIGINT');
      control.kill('SIGINT');
      for (const { code } of await Promise.all(ended)) expect(code).toBe(0);
    }
  });

  async function firstReady(child: ReturnType<typeof spawn>): Promise<{ urls: Record<string, string> }> {
    let text = '';
    child.stdout!.on('data', (data) => {
      text += data;
    });
    const find = () => text.split('\n').find((line) => line.startsWith('{"type":"ready"') && line.endsWith('}'));
    await until(() => find() !== undefined);
    return JSON.parse(find()!);
  }
});

describe('streams serve --demo', () => {
  it('is on air: watched, recorded and inspected from the command line; and found again by the next run', async () => {
    const first = await start(['--demo']);
    const demo = (await first.line({ type: 'demo' })) as Line & { url: string; watchUrl: string; inputId: string };
    expect(demo.watchUrl).toContain(`${first.ready.urls.http}/watch/${demo.inputId}?tok=`);

    const file = join(folder, 'demo.mp4');
    // The duration counts from the first media, and bounds the wait for it: on a busy machine a session takes seconds.
    const watched = await run('watch', demo.url, '--duration', '4s', '--out', file, '--json');
    expect(watched.stderr).toBe('');
    expect(watched.code).toBe(0);
    const summary = JSON.parse(watched.stdout.trim().split('\n').at(-1)!);
    expect(summary).toMatchObject({ version: 1, type: 'summary', gaps: 0 });
    expect(summary.objects).toBeGreaterThan(60);
    expect(summary.joinMs).toBeGreaterThan(0);
    expect(summary.latencyMs.p50).toBeLessThan(1000);
    expect((await readFile(file)).subarray(4, 8).toString()).toBe('ftyp');

    const { catalog } = await json('inspect', 'catalog', demo.url);
    expect(catalog.tracks.map(({ kind }) => kind).sort()).toEqual(['audio', 'video']);
    const human = await run('inspect', 'catalog', demo.url);
    expect(human.stdout).toMatch(/^TRACK +KIND +CODEC/);
    const noTrack = await run('watch', demo.url, '--track', 'video/8k', '--json');
    expect(noTrack.code).toBe(5);

    await first.end('SIGINT');
    const second = await start(['--demo']);
    expect(await second.line({ type: 'demo' })).toMatchObject({ inputId: demo.inputId });
  });
});

describe('streams watch', () => {
  it('says why it was refused, and what happened when there was nothing', { timeout: 120_000 }, async () => {
    const { ready } = await start();
    const created = await json('inputs', 'create', '--name', 'show');
    const { url } = await json('playback', 'mint', created.input.id);

    const nothing = await run('watch', url, '--duration', '1s', '--out', join(folder, 'none.mp4'), '--json');
    expect(nothing.code).toBe(1);
    expect(JSON.parse(nothing.stderr).error.code).toBe('NO_MEDIA');
    expect(JSON.parse(nothing.stdout.trim().split('\n').at(-1)!)).toMatchObject({ type: 'summary', objects: 0 });
    await expect(readFile(join(folder, 'none.mp4'))).rejects.toMatchObject({ code: 'ENOENT' });

    const [head, payload] = new URL(url).searchParams.get('tok')!.split('.');
    const forged = `${ready.urls.relay}/playback/${created.input.id}?tok=${head}.${payload}.${'A'.repeat(86)}`;
    for (const bad of [forged, `${ready.urls.relay}/playback/${created.input.id}?tok=garbage`]) {
      // Without a duration: it would bound the wait for the refusal as well.
      const refused = await run('watch', bad, '--json');
      expect(refused.code).toBe(3);
      expect(JSON.parse(refused.stderr).error.code).toBe('TOKEN_INVALID');
      expect(refused.stderr).not.toContain(payload);
    }
    const badUrl = await run('watch', 'not a url', '--json');
    expect(badUrl.code).toBe(2);
    await stack!.end('SIGINT');
    const gone = await run('watch', url, '--json');
    expect(gone.code).toBe(4);
    expect(JSON.parse(gone.stderr).error.code).toBe('RELAY_UNREACHABLE');
  });

  it('ends with 130 on Ctrl-C, with its summary', async () => {
    await start();
    const created = await json('inputs', 'create', '--name', 'show');
    const { url } = await json('playback', 'mint', created.input.id);
    const child = spawn(process.execPath, [binary, 'watch', url, '--json'], {
      env: stackEnv(folder),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = finished(child);
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(130);
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!).type).toBe('summary');
    expect(JSON.parse(stderr).error.code).toBe('INTERRUPTED');
  });
});
