import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nextWait } from '../../../src/serve/children/backoff.ts';
import type { Child } from '../../../src/serve/children/child.ts';
import type { PulseRule } from '../../../src/serve/children/pulse.ts';
import { type ChildPlan, Supervisor, type SupervisorEvent } from '../../../src/serve/children/supervisor.ts';
import { until } from '../until.ts';

const actor = fileURLToPath(new URL('./actor.mjs', import.meta.url));
const parent = fileURLToPath(new URL('./parent.mjs', import.meta.url));

let folder: string;
let journal: string;
let events: SupervisorEvent[];
let supervisor: Supervisor | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-supervisor-'));
  journal = join(folder, 'journal');
  events = [];
});
afterEach(async () => {
  await supervisor?.stop();
  supervisor = undefined;
  await rm(folder, { recursive: true, force: true });
});

type Config = Record<string, unknown>;

/** A child that remembers the port it was given, like those of `serve`. */
function plan(name: string, config: Config | ((start: number) => Config) = {}): ChildPlan {
  let port = 0;
  let starts = 0;
  return {
    name,
    command: { entry: actor, args: [name, journal], env: process.env },
    config: () => ({ port, ...(typeof config === 'function' ? config(starts++) : config) }),
    onReady: async (ready) => {
      port = (ready as { port: number }).port;
    },
  };
}

function supervise(
  plans: ChildPlan[],
  options: { stopDeadlineMs?: number; startDeadlineMs?: number; pulse?: PulseRule } = {},
): Supervisor {
  supervisor = new Supervisor({
    plans,
    onEvent: (event) => events.push(event),
    backoff: { firstMs: 20, longestMs: 80, healthyMs: 60_000 },
    ...options,
  });
  return supervisor;
}

const journalLines = async () => (await readFile(journal, 'utf8')).trim().split('\n');
const named = (event: string) =>
  events.filter((candidate) => candidate.type === 'child').filter((candidate) => candidate.event === event);
const pidOf = (name: string) => named('ready').findLast(({ process }) => process === name)!.pid;
const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('the supervisor', () => {
  it('starts in order, each after the one before is ready, and stops in the opposite order', async () => {
    await supervise([plan('control'), plan('relay'), plan('engine')]).start();
    expect(named('ready').map(({ process }) => process)).toEqual(['control', 'relay', 'engine']);
    await supervisor!.stop();
    expect(await journalLines()).toEqual([
      'control config 0',
      'relay config 0',
      'engine config 0',
      'engine stop',
      'relay stop',
      'control stop',
    ]);
    expect(named('stopped')).toMatchObject([
      { process: 'engine', killed: false },
      { process: 'relay', killed: false },
      { process: 'control', killed: false },
    ]);
  });

  it('passes on what children write, JSON or not', async () => {
    await supervise([plan('relay')]).start();
    await until(() => events.filter(({ type }) => type === 'log').length === 2);
    expect(events.filter(({ type }) => type === 'log')).toEqual([
      { type: 'log', process: 'relay', line: { level: 'warn', message: 'hello', port: 0 } },
      { type: 'log', process: 'relay', line: { level: 'info', message: 'plain words' } },
    ]);
  });

  it('brings back a killed child, alone and on its port', async () => {
    await supervise([plan('control'), plan('relay')]).start();
    const control = pidOf('control');
    const first = pidOf('relay');
    process.kill(first, 'SIGKILL');
    await until(() => named('ready').length === 3);
    expect(named('exit')).toMatchObject([
      { process: 'relay', pid: first, signal: 'SIGKILL', restartInMs: 20, reason: 'it ended with SIGKILL' },
    ]);
    expect(named('ready')[2]).toMatchObject({ process: 'relay', restarts: 1 });
    expect(isAlive(control)).toBe(true);
    expect((await journalLines()).at(-1)).toBe(`relay config ${1000 + (first % 1000)}`);
  });

  it('waits longer from death to death, up to a bound', async () => {
    await supervise([plan('relay', (start) => (start >= 1 && start <= 4 ? { crash: true } : {}))]).start();
    process.kill(pidOf('relay'), 'SIGKILL');
    await until(() => named('ready').length === 2);
    const exits = named('exit') as Extract<SupervisorEvent, { event: 'exit' }>[];
    expect(exits.map(({ restartInMs }) => restartInMs)).toEqual([20, 40, 80, 80, 80]);
    expect(exits[1]).toMatchObject({ code: 7, lastLines: ['first line', 'what went wrong'] });
  });

  it('keeps trying when a restarted child says fatal', async () => {
    const fatal = { code: 'PORT_IN_USE', message: 'port 9 is in use' };
    await supervise([plan('relay', (start) => (start === 1 ? { fatal } : {}))]).start();
    process.kill(pidOf('relay'), 'SIGKILL');
    await until(() => named('ready').length === 2);
    expect(named('exit')[1]).toMatchObject({ reason: 'port 9 is in use' });
  });

  it('ends with the first fatal error of the start, and leaves nobody behind', async () => {
    const fatal = { code: 'PORT_IN_USE', message: 'port 4443 (UDP) is in use', hint: '--relay-port 0' };
    const starting = supervise([plan('control'), plan('relay', { fatal }), plan('engine')]).start();
    await expect(starting).rejects.toMatchObject(fatal);
    expect(isAlive(pidOf('control'))).toBe(false);
    expect(await journalLines()).toContain('control stop');
    expect(await journalLines()).not.toContain('engine config 0');
  });

  it('says which child died during the start, with its last words', async () => {
    await expect(supervise([plan('engine', { crash: true })]).start()).rejects.toMatchObject({
      code: 'CHILD_DIED',
      message: 'the engine process could not start: it ended with exit code 7',
      cause: 'first line\nwhat went wrong',
    });
  });

  it('kills a child that never gets ready', async () => {
    await expect(supervise([plan('engine', { silent: true })], { startDeadlineMs: 300 }).start()).rejects.toMatchObject(
      {
        code: 'CHILD_DIED',
        message: 'the engine process could not start: it ended with SIGKILL',
      },
    );
  });

  it('kills a child that does not stop in time', async () => {
    await supervise([plan('control'), plan('relay', { deaf: true })], { stopDeadlineMs: 100 }).start();
    const pid = pidOf('relay');
    await supervisor!.stop();
    expect(named('stopped')).toMatchObject([
      { process: 'relay', killed: true },
      { process: 'control', killed: false },
    ]);
    expect(isAlive(pid)).toBe(false);
  });

  it('does not bring back a child that dies while stopping, nor one that waits for its restart', async () => {
    await supervise([plan('control'), plan('relay', (start) => (start > 0 ? { crash: true } : {}))]).start();
    process.kill(pidOf('relay'), 'SIGKILL');
    await until(() => named('exit').length >= 2);
    const stopped = supervisor!.stop();
    const before = (await journalLines()).filter((line) => line.startsWith('relay config')).length;
    await stopped;
    await supervisor!.stop();
    expect((await journalLines()).filter((line) => line.startsWith('relay config')).length).toBeLessThanOrEqual(before);
    expect((await journalLines()).at(-1)).toBe('control stop');
  });

  it('answers calls, and rejects them with the error of the child or its death', async () => {
    const answers: unknown[] = [];
    const calling: ChildPlan = {
      ...plan('control'),
      onReady: async (_ready, child) => {
        answers.push(await child.call('echo', { a: 1 }));
        await child.call('fail', {}).catch((error) => answers.push(error.code));
        const unanswered = child.call('ignore', {});
        child.kill();
        await unanswered.catch((error) => answers.push(error.code));
      },
    };
    await supervise([calling]).start();
    expect(answers.slice(0, 3)).toEqual([['echo', { a: 1 }], 'CONFLICT', 'CHILD_DIED']);
  });
});

describe('a child that lives and serves nobody', () => {
  const pulse = { everyMs: 50, slowMs: 100, hungMs: 500 };
  const calls: Child[] = [];
  const withCalls = (name: string): ChildPlan => {
    const made = plan(name);
    return {
      ...made,
      onReady: async (ready, child) => {
        calls.push(child);
        await made.onReady(ready, child);
      },
    };
  };
  afterEach(() => void calls.splice(0));

  it.each([
    ['is stopped', async () => void process.kill(pidOf('relay'), 'SIGSTOP')],
    ['loops for ever', async () => void calls[0]!.call('loop', { ms: 3_600_000 }).catch(() => {})],
  ])('is started again when it %s, alone, with the reason', async (_, hang) => {
    await supervise([withCalls('relay'), plan('engine')], { pulse }).start();
    const [hung, other] = [pidOf('relay'), pidOf('engine')];
    await hang();
    await until(() => named('ready').length === 3);
    expect(named('exit')).toMatchObject([
      {
        process: 'relay',
        pid: hung,
        signal: 'SIGKILL',
        reason: expect.stringMatching(/^it hung: no answer for [\d.]+ s$/),
      },
    ]);
    expect(pidOf('relay')).not.toBe(hung);
    expect(pidOf('engine')).toBe(other);
    expect(isAlive(hung)).toBe(false);
  });

  it('is left alone when it answers late, which is told', async () => {
    await supervise([withCalls('relay')], { pulse: { ...pulse, hungMs: 60_000 } }).start();
    await calls[0]!.call('loop', { ms: 400 });
    const told = () => events.filter((event) => event.type === 'log' && /stood still/.test(event.line.message));
    await until(() => told().length > 0);
    expect(told()[0]).toMatchObject({ process: 'relay', line: { level: 'warn', ms: expect.any(Number) } });
    expect(named('exit')).toEqual([]);
  });

  it('is not what a supervisor sees that stood still itself', async () => {
    await supervise([withCalls('relay')], { pulse }).start();
    const until_ = performance.now() + 3 * pulse.hungMs;
    while (performance.now() < until_);
    await calls[0]!.call('echo', {});
    await new Promise((resolve) => setTimeout(resolve, 2 * pulse.everyMs));
    expect(named('exit')).toEqual([]);
  });
});

describe('children', () => {
  it('leave with a supervisor that was killed', async () => {
    const process_ = spawn(process.execPath, [parent, actor, 'relay', journal], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface({ input: process_.stdout! }), 'line');
    const child = Number(line);
    expect(isAlive(child)).toBe(true);
    process_.kill('SIGKILL');
    await until(() => !isAlive(child));
  });
});

describe('the wait before a restart', () => {
  const rule = { firstMs: 250, longestMs: 10_000, healthyMs: 10_000 };
  it('doubles up to its bound and is forgotten after a healthy time', () => {
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) waits.push(nextWait(rule, waits.at(-1), 0));
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
    expect(nextWait(rule, 10_000, 9_999)).toBe(10_000);
    expect(nextWait(rule, 10_000, 10_000)).toBe(250);
  });
});
