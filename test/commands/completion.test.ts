import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTerminal } from '../helpers/tmux.ts';
import { apiServer } from './api-server.ts';
import { commandLine } from './command-line.ts';

const values = async (words: string[], env: NodeJS.ProcessEnv = {}) =>
  (await commandLine(['__complete', '--', ...words], { env })).stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t')[0]);

describe('completion', () => {
  it('knows commands and verbs, and does not show itself', async () => {
    expect(await values(['inp'])).toEqual(['inputs']);
    expect(await values(['keys', ''])).toEqual(['create', 'list', 'import', 'rotate', 'deactivate', 'delete']);
    const all = await values(['']);
    expect(all).toEqual(
      expect.arrayContaining(['serve', 'inputs', 'keys', 'api-keys', 'doctor', 'login', 'completion']),
    );
    expect(all).not.toContain('__complete');
    expect((await commandLine(['--help'])).stdout).not.toContain('__complete');
  });

  it('knows options, their values, and which were given', async () => {
    const options = await values(['inputs', 'create', '--']);
    expect(options).toEqual(expect.arrayContaining(['--name', '--ingest', '--output-file', '--json', '--profile']));
    expect(await values(['inputs', 'create', '--ingest', ''])).toEqual(['rtmp', 'srt', 'whip', 'fmp4']);
    expect(await values(['inputs', 'create', '--ingest', 'rtmp', '--i'])).toEqual([]);
    expect(await values(['api-keys', 'create', '--scope', 'streams:w'])).toEqual(['streams:write']);
    expect(await values(['inspect', 'segment', ''])).toEqual([':files']);
    expect(await values(['inputs', 'create', '--name', ''])).toEqual([]);
    expect(await values(['inputs', 'list', '--w'])).toEqual(['--watch']);
  });

  it('completes ids from the server, and is silent when it is away', async () => {
    await using api = await apiServer(({ path }) => ({
      status: 200,
      body: {
        items: path.startsWith('/v1/live-inputs')
          ? [
              { id: 'lv_1', name: 'show', status: 'live' },
              { id: 'lv_2', name: 'b\tc\nd', status: 'idle' },
            ]
          : [{ id: 'rk_1', alg: 'Ed25519', status: 'active' }],
        nextCursor: null,
      },
    }));
    const env = { STREAMS_API_URL: api.url, STREAMS_API_KEY: 'ak_live_x' };
    expect((await commandLine(['__complete', '--', 'inputs', 'get', 'lv_'], { env })).stdout).toBe(
      'lv_1\tshow, live\nlv_2\tb c d, idle\n',
    );
    expect(await values(['keys', 'deactivate', '--yes', ''], env)).toEqual(['rk_1']);
    expect(await values(['playback', 'revoke', '--input', ''], env)).toEqual(['lv_1', 'lv_2']);
    const away = await commandLine(['__complete', '--', 'inputs', 'get', ''], {
      env: { STREAMS_API_URL: 'http://127.0.0.1:9' },
    });
    expect(away).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });

  describe('in a real shell', () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'streams-completion-'));
      for (const shell of ['bash', 'zsh', 'fish'])
        await writeFile(join(folder, `streams.${shell}`), (await commandLine(['completion', shell])).stdout);
      // Answers what the program does for these words.
      const answers = {
        'api-keys create --scope streams:': 'streams:read\tr\nstreams:write\tw\n',
        'api-keys create --scope streams:w': 'streams:write\tw\n',
        'inputs ': 'list\tList\nget\tGet\n',
        'inputs get lv_': 'lv_1\tshow, live: now\n',
        'inspect segment streams.b': ':files\n',
      };
      const cases = Object.entries(answers).map(
        ([words, answer]) => `"${words}") printf '%b' '${answer.replaceAll('\n', '\\n').replaceAll('\t', '\\t')}';;`,
      );
      const fake = `#!/bin/bash\n[ "$1" = __complete ] || exit 1\nshift 2\ncase "$*" in\n${cases.join('\n')}\nesac\n`;
      await writeFile(join(folder, 'streams'), fake);
      await chmod(join(folder, 'streams'), 0o755);
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    const run = async (shell: string, ...args: string[]) => {
      const env = { PATH: `${folder}:${process.env.PATH}`, HOME: folder, TERM: 'dumb' };
      const { stdout } = await promisify(execFile)(shell, args, { env, cwd: folder });
      return stdout.trim().split('\n').sort();
    };

    it('bash, colons included', async () => {
      const complete = (line: string) =>
        run(
          'bash',
          '-c',
          `source streams.bash; COMP_LINE='${line}'; COMP_POINT=${line.length}; _streams; printf '%s\\n' "\${COMPREPLY[@]}"`,
        );
      expect(await complete('streams api-keys create --scope streams:')).toEqual(['read', 'write']);
      expect(await complete('streams inputs ')).toEqual(['get', 'list']);
      expect(await complete('streams inspect segment streams.b')).toEqual(['streams.bash']);
    });

    it('fish, with what each means', async () => {
      const complete = (line: string) => run('fish', '-N', '-c', `source streams.fish; complete -C '${line}'`);
      expect(await complete('streams api-keys create --scope streams:')).toEqual([
        'streams:read\tr',
        'streams:write\tw',
      ]);
      expect(await complete('streams inputs ')).toEqual(['get\tGet', 'list\tList']);
      expect(await complete('streams inspect segment streams.b')).toEqual(['streams.bash']);
    });

    it('zsh, by the Tab key', { timeout: 60_000 }, async () => {
      await using terminal = await startTerminal('zsh -f');
      await terminal.type(`path=(${folder} $path); cd ${folder}; PS1='> '; autoload -Uz compinit; compinit -u -D`);
      await terminal.press('Enter');
      await terminal.type('source streams.zsh; echo re""ady');
      await terminal.press('Enter');
      await terminal.sees(/^ready$/m);
      const cases = {
        'streams api-keys create --scope streams:w': /--scope streams:write/,
        'streams inputs get lv_': /get lv_1/,
        'streams inspect segment streams.b': /segment streams\.bash/,
        'streams inputs ': /get +-- Get\s+list +-- List/,
      };
      for (const [line, seen] of Object.entries(cases)) {
        await terminal.type(line);
        await terminal.press('Tab');
        await terminal.sees(seen);
        // Not Ctrl-C: the terminal throws away what is typed right after it.
        await terminal.press('C-u');
      }
    });
  });
});
