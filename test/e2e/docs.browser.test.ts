import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Finished, finished, repoRoot, type Serve, startServe } from '../helpers/streams-cli.ts';

/** Every line of every `sh` block, without its comment. */
function commandsOf(file: string): string[] {
  const blocks = [...readFileSync(join(repoRoot, file), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)];
  return blocks
    .flatMap((block) => block[1]!.split('\n').map((line) => line.replace(/\s+#.*$/, '').trim()))
    .filter((line) => line !== '');
}

const files = [
  'README.md',
  ...readdirSync(join(repoRoot, 'docs'))
    // docs-relay.live.test.ts runs those of relay.md, upload.browser.test.ts those of upload.md.
    .filter((name) => name.endsWith('.md') && name !== 'relay.md' && name !== 'upload.md')
    .map((name) => `docs/${name}`),
];
/** Page by page; what several pages show belongs to the first. */
const seen = new Set<string>();
const pages = files.map((file) => commandsOf(file).filter((command) => !seen.has(command) && seen.add(command)));
const commands = [...seen];

/** Long-running servers; started by the tests below with free ports instead of the default ones. */
const servers = commands.filter((command) => command.startsWith('streams serve'));
/** The README's two set-up commands are what CI itself runs, and `npm run bench` is run by hand: not from inside the suite. */
const outside = commands.filter((command) => /^npm /.test(command));
const rest = commands.filter((command) => !servers.includes(command) && !outside.includes(command));

type Encoder = { process: ChildProcess; ended: Promise<Finished> };

describe('the commands shown in the docs', () => {
  it('are found', () => {
    expect(rest.length).toBeGreaterThan(8);
    expect(
      outside.filter(
        (command) =>
          !/^npm (ci && (npm run test:setup && npm test|npx streams serve --demo)|run (bench|fuzz|test:peers).*)$/.test(
            command,
          ),
      ),
    ).toEqual([]);
  });

  it('run as they stand, against a live demo', { timeout: 180_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'streams-docs-'));
    const serve: Serve = await startServe(['--demo']);
    const clip = join(repoRoot, 'fixtures', 'media', 'demo.flv');
    try {
      type Created = { input: { id: string }; streamKey: string; urls?: { srtPassphrase?: string } };
      const create = async (name: string, ingest: string) =>
        (await serve.json('inputs', 'create', '--name', name, '--ingest', ingest)) as unknown as Created;
      const spare = await create('spare', 'rtmp');
      const gone = await create('gone', 'rtmp');
      const created = await create('docs', 'rtmp');
      const playback = await serve.json('playback', 'mint', created.input.id);
      const addresses: Record<string, string> = {
        '127.0.0.1:1935': serve.urls.rtmp,
        '127.0.0.1:9000': serve.urls.srt,
        '127.0.0.1:8080': serve.urls.http,
      };
      const binary = `${process.execPath} ${join(repoRoot, 'bin/streams.js')}`;
      const shell = (command: string, { input, streamKey, urls }: Created) =>
        Object.entries(addresses).reduce(
          (text, [shown, real]) => text.replaceAll(shown, new URL(real).host),
          command
            .replaceAll('<lv_…>', input.id)
            .replaceAll('<key>', streamKey)
            .replaceAll('<passphrase>', urls?.srtPassphrase ?? '')
            .replaceAll('<url>', String(playback.url))
            .replace(/streams publish/, `${binary} publish`)
            .replace('-i some.mp4', `-stream_loop -1 -i ${clip}`),
        );
      const start = (command: string) =>
        spawn('sh', ['-c', `exec ${command}`], {
          cwd: folder,
          // A pipeline is stopped as a whole.
          detached: true,
          env: {
            ...process.env,
            ...serve.env,
            PATH: `${join(repoRoot, 'node_modules/.bin')}:${join(folder, 'bin')}:${process.env.PATH}`,
          },
          stdio: ['ignore', 'pipe', 'pipe'],
        });

      const isEncoder = (command: string) => command.startsWith('ffmpeg');
      const ingestOf = (command: string) =>
        /\/ingest\/|streams publish/.test(command) ? 'fmp4' : command.includes('srt://') ? 'srt' : 'rtmp';
      const failures: string[] = [];
      const encoders: Encoder[] = [];
      const encode = async (command: string) => {
        const ingest = ingestOf(command);
        const target = ingest === 'rtmp' ? created : await create(`docs ${ingest}`, ingest);
        const process = start(shell(command, target));
        const ended = finished(process, 170_000);
        ended.catch(() => undefined);
        encoders.push({ process, ended });
        const live = async () =>
          ((await serve.json('inputs', 'get', target.input.id)) as unknown as { input: { status: string } }).input
            .status;
        await expect.poll(live, { timeout: 15_000, message: command }).toBe('live');
      };
      await Promise.all(rest.filter(isEncoder).map(encode));
      const run = async (command: string) => {
        expect(command, 'no way to run it here').toMatch(/^streams /);
        // What changes or removes an input works on one that nobody watches.
        const target = command.includes('delete') ? gone : command.includes('rotate-key') ? spare : created;
        const endless = /^streams watch/.test(command) && !command.includes('--duration');
        const child = start(shell(command, target).replace(/^streams/, binary));
        const ended = finished(child, 30_000);
        if (endless) {
          await new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
          child.kill('SIGINT');
          const result = await ended;
          if (![0, 130].includes(result.code ?? -1)) failures.push(`${command}: ${result.code} ${result.stderr}`);
          return;
        }
        const result = await ended;
        if (result.code !== 0) failures.push(`${command}: exit ${result.code}\n${result.stderr}`);
      };
      // The commands of a page one after another, two pages at a time.
      const waiting = pages.map((page) => page.filter((command) => rest.includes(command) && !isEncoder(command)));
      const reader = async () => {
        for (let page = waiting.shift(); page !== undefined; page = waiting.shift())
          for (const command of page) await run(command);
      };
      await Promise.all([reader(), reader()]);
      for (const { process, ended } of encoders) {
        global.process.kill(-process.pid!, 'SIGKILL');
        await ended;
      }
      expect(failures).toEqual([]);
    } finally {
      await serve.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });

  it.each(servers)('%s starts and stops', { timeout: 40_000 }, async (command) => {
    const args = command
      .split(' ')
      .slice(2)
      .filter((arg) => arg !== '--json');
    const serve = await startServe(args);
    expect(serve.urls.http).toMatch(/^http:/);
    expect(await serve.stop()).toBe(0);
  });
});
