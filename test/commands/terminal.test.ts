import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repoRoot } from '../helpers/streams-cli.ts';
import { startTerminal, type Terminal } from '../helpers/tmux.ts';
import { apiServer } from './api-server.ts';

const binary = join(repoRoot, 'bin', 'streams.js');
const input = { id: 'lv_1', name: 'show', ingest: 'rtmp', status: 'idle', createdAt: '2026-11-20T00:00:00.000Z' };
describe('in a real terminal', () => {
  let api: Awaited<ReturnType<typeof apiServer>>;
  let terminal: Terminal;
  /** Runs `streams` and prints its exit code when it has ended. */
  const runs = async (args: string): Promise<void> => {
    await terminal.clear();
    await terminal.type(`${process.execPath} ${binary} ${args}; echo "exit=$?."`);
    await terminal.press('Enter');
  };
  beforeAll(async () => {
    api = await apiServer(({ method, path }) => {
      if (path.endsWith('/playback-tokens'))
        return {
          status: 200,
          body: {
            token: 't',
            url: 'https://r/playback/lv_2',
            watchUrl: 'https://r/watch/lv_2',
            expires_at: '2027-01-01T00:00:00.000Z',
          },
        };
      if (method === 'GET' && path.split('?')[0] === '/v1/live-inputs')
        return { status: 200, body: { items: [input, { ...input, id: 'lv_2', name: 'other' }], nextCursor: null } };
      if (method === 'POST')
        return { status: 201, body: { ...input, name: 'evening', stream_key_cleartext: 'sk_live_x' } };
      if (method === 'DELETE') return { status: 200, body: { id: 'lv_1', deleted: true } };
      return { status: 200, body: input };
    });
    const env = [`STREAMS_API_URL=${api.url}`, 'STREAMS_API_KEY=ak_live_x', 'TERM=screen', 'PS1=$ '];
    const shell = `env -u CI -u NO_COLOR ${env.map((pair) => `'${pair}'`).join(' ')} sh`;
    terminal = await startTerminal(shell);
  });
  afterAll(async () => {
    await terminal?.[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  it('asks for the name and the kind of an input, and takes no empty name', { timeout: 60_000 }, async () => {
    await runs('inputs create');
    await terminal.sees(/Name of the input/);
    await terminal.press('Enter');
    await terminal.sees(/It needs a name/);
    await terminal.type('evening');
    await terminal.press('Enter');
    await terminal.sees(/How does the encoder push\?/);
    await terminal.press('Down', 'Enter');
    const screen = await terminal.sees(/exit=0\./);
    expect(screen).toMatch(/Stream key +sk_live_x/);
    expect(api.seen.at(-1)).toMatchObject({ method: 'POST', body: { name: 'evening', ingest: 'srt' } });
  });

  it('lets one pick the input and the time of a token', { timeout: 60_000 }, async () => {
    await runs('playback mint');
    await terminal.sees(/Which input\?[\s\S]*other \(lv_2, idle\)/);
    await terminal.press('Down', 'Enter');
    await terminal.sees(/For how long\?/);
    await terminal.press('Down', 'Enter');
    await terminal.sees(/exit=0\./);
    const asked = { method: 'POST', path: '/v1/live-inputs/lv_2/playback-tokens', body: { ttlSeconds: 900 } };
    expect(api.seen.at(-1)).toMatchObject(asked);
  });

  it('deletes only after a yes', { timeout: 60_000 }, async () => {
    await runs('inputs delete lv_1');
    await terminal.sees(/Delete lv_1 \(show\) and its stream key\?/);
    await terminal.press('Enter');
    await terminal.sees(/exit=130\./);
    expect(api.seen.some(({ method }) => method === 'DELETE')).toBe(false);

    await runs('inputs delete lv_1');
    await terminal.sees(/Delete lv_1/);
    await terminal.press('y');
    expect(await terminal.sees(/exit=0\./)).toContain('Deleted lv_1');
    expect(api.seen.at(-1)).toMatchObject({ method: 'DELETE', path: '/v1/live-inputs/lv_1' });
  });

  it('ends a question at Ctrl-C, and leaves the terminal as it was', { timeout: 60_000 }, async () => {
    const before = api.seen.length;
    await runs('inputs create');
    await terminal.sees(/Name of the input/);
    await terminal.press('C-c');
    await terminal.sees(/exit=130\./);
    expect(api.seen.length).toBe(before);
    await runs('help exit-codes');
    await terminal.sees(/124 +timeout[\s\S]*exit=0\./);
    await terminal.type('echo visible-$((40+2))');
    expect(await terminal.sees(/echo visible-/)).toContain('echo visible-');
    await terminal.press('Enter');
    await terminal.sees(/^visible-42/m);
  });
});
