import { describe, expect, it } from 'vitest';
import { annotation } from '../../commands/annotation.ts';
import { memoryTerminal } from '../../commands/output/memory.ts';
import { redraw } from '../../commands/output/redraw.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { apiServer } from './api-server.ts';
import { commandLine } from './command-line.ts';

const input = { id: 'lv_1', name: 'show', ingest: 'rtmp', status: 'idle', createdAt: '2026-11-20T00:00:00.000Z' };
const listing = (items: object[]) => ({ status: 200, body: { items, nextCursor: null } });
const env = (url: string) => ({ STREAMS_API_URL: url, STREAMS_API_KEY: 'ak_live_env' });

describe('--field', () => {
  it('prints what it picks and nothing else', async () => {
    await using api = await apiServer(() => listing([input, { ...input, id: 'lv_2' }]));
    const pick = (field: string) => commandLine(['inputs', 'list', '--field', field], { env: env(api.url) });
    expect(await pick('inputs[].id')).toMatchObject({ code: 0, stdout: 'lv_1\nlv_2\n', stderr: '' });
    expect((await pick('.inputs[1].id')).stdout).toBe('lv_2\n');
    expect((await pick('version')).stdout).toBe('1\n');
    expect(JSON.parse((await pick('inputs[0]')).stdout)).toMatchObject({ id: 'lv_1' });
  });

  it('says which fields there are', async () => {
    await using api = await apiServer(() => listing([input]));
    const wrong = await commandLine(['inputs', 'list', '--field', 'input.id'], { env: env(api.url) });
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toMatch(/there is no field "input\.id".*\nTry: --field version \| type \| inputs\[\]\.id \|/);
    expect((await commandLine(['inputs', 'list', '--field', 'a..b'], { env: env(api.url) })).code).toBe(2);
    expect((await commandLine(['inputs', 'list', '--field', 'toString'], { env: env(api.url) })).code).toBe(2);
  });
});

describe('--quiet', () => {
  it('leaves data and errors', async () => {
    await using api = await apiServer(() => listing([]));
    expect(await commandLine(['inputs', 'list', '--quiet'], { env: env(api.url) })).toMatchObject({
      code: 0,
      stderr: '',
    });
    const failed = await commandLine(['inputs', 'get', '-q'], { env: env(api.url) });
    expect(failed.stderr).toContain('[USAGE]');
  });
});

describe('--watch', () => {
  it('shows again only what has changed, until it is stopped', async () => {
    let asked = 0;
    const stop = new AbortController();
    await using api = await apiServer(() => {
      asked++;
      if (asked === 4) setImmediate(() => stop.abort(new StreamsError('INTERRUPTED', 'interrupted')));
      if (asked === 2) return { status: 429, body: { error: { code: 'RATE_LIMITED', message: 'slow down' } } };
      return listing([{ ...input, status: asked < 4 ? 'idle' : 'live' }]);
    });
    const result = await commandLine(['inputs', 'list', '--watch', '--json'], {
      env: env(api.url),
      signal: stop.signal,
    });
    expect(result.code).toBe(130);
    expect(asked).toBe(4);
    expect(result.lines().length).toBeLessThanOrEqual(2);
    expect(result.lines()[0]).toMatchObject({ inputs: [{ status: 'idle' }] });
  });

  it('draws over the picture before on a terminal', () => {
    const terminal = memoryTerminal({ tty: true });
    const picture = redraw(terminal);
    for (const text of ['a\nb\n', 'a\nb\n', 'c\n']) {
      picture.terminal.out(text);
      picture.show();
    }
    expect(terminal.stdout).toBe('a\nb\n\x1b[2A\r\x1b[Jc\n');
    expect(picture.terminal.outIsTty).toBe(true);
  });

  it('fails at once when the first answer is none', async () => {
    const away = await commandLine(['inputs', 'list', '--watch'], { env: { STREAMS_API_URL: 'http://127.0.0.1:9' } });
    expect(away.code).toBe(4);
  });
});

describe('annotations for GitHub Actions', () => {
  it('stand beside the error, in both forms', async () => {
    const human = await commandLine(['inputs', 'get'], { env: { GITHUB_ACTIONS: 'true' } });
    expect(human.stderr).toMatch(
      /^✖ .*\[USAGE\]\nTry: .*\n::error title=streams%3A USAGE::missing required argument 'id'%0ATry: streams inputs get --help\n$/,
    );
    const json = await commandLine(['inputs', 'get', '--json'], { env: { GITHUB_ACTIONS: 'true' } });
    const [first, second] = json.stderr.split('\n');
    expect(JSON.parse(first!)).toMatchObject({ type: 'error' });
    expect(second).toMatch(/^::error title=/);
    expect((await commandLine(['inputs', 'get'])).stderr).not.toContain('::error');
  });

  it('cannot be broken out of', () => {
    expect(annotation(new StreamsError('INTERNAL', '100%\r\n::set-env name=x::y'))).toBe(
      '::error title=streams%3A INTERNAL::100%25%0D%0A::set-env name=x::y',
    );
  });
});

describe('mistyped words', () => {
  it.each([
    [['key', 'list'], 'keys'],
    [['keys', 'lst'], 'list'],
    [['api-key', 'list'], 'api-keys'],
    [['docter'], 'doctor'],
    [['inputs', 'list', '--wach'], '--watch'],
    [['inputs', 'create', '--nmae', 'x'], '--name'],
  ])('%j suggests %s', async (argv, nearest) => {
    const { code, stderr } = await commandLine(argv);
    expect(code).toBe(2);
    expect(stderr.split('Try: ')[1]).toContain(nearest);
  });
});

describe('help', () => {
  it('begins with examples and points to exit codes and environment', async () => {
    const { stdout } = await commandLine(['api-keys', 'create', '--help']);
    expect(stdout).toMatch(/^Examples:\n {2}streams api-keys create/);
    expect(stdout).toContain('--scope <scope>');
    expect(stdout).toContain('streams help exit-codes');
    expect((await commandLine(['inputs', 'list', '--help'])).stdout).toContain('--watch');
  });
});
