import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { finished, repoRoot } from '../helpers/streams-cli.ts';

const commands = [...readFileSync(join(repoRoot, 'docs/relay.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)]
  .flatMap((block) => block[1]!.split('\n'))
  .filter((line) => line !== '');

/** Waits for the relay's ready line; answers where its HTTP is. */
function ready(child: ChildProcess): Promise<{ http: string }> {
  return new Promise((resolve, reject) => {
    let last = '';
    child.stderr!.on('data', (data) => {
      last += data;
    });
    child.on('close', () => reject(new Error(`the relay ended: ${last}`)));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const event = JSON.parse(line);
      if (event.type === 'ready') resolve(event.urls);
    });
  });
}

it('the commands of docs/relay.md run as they stand', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'streams-docs-relay-'));
  const here = join(folder, 'here');
  await mkdir(here);
  // Ports that are free; the rest of the example stays as it is.
  const example = await readFile(join(repoRoot, 'relay.example.toml'), 'utf8');
  await writeFile(join(here, 'relay.example.toml'), example.replaceAll('127.0.0.1:4443', '127.0.0.1:0'));
  const binary = `${process.execPath} ${join(repoRoot, 'bin/streams.js')}`;
  const start = (command: string) =>
    spawn('sh', ['-c', `exec ${command.replace(/^streams/, binary)}`], {
      cwd: here,
      env: { ...process.env, STREAMS_CONFIG_DIR: join(folder, 'config'), XDG_DATA_HOME: join(folder, 'data') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  let relay: ChildProcess | undefined;
  let http = '';
  const stop = async () => {
    if (relay === undefined) return;
    const ended = finished(relay, 10_000);
    relay.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    relay = undefined;
  };
  try {
    expect(commands.length).toBeGreaterThan(8);
    for (const command of commands) {
      if (/^streams relay /.test(command)) {
        await stop();
        relay = start(`${command.replaceAll('127.0.0.1:4443', '127.0.0.1:0')} --json`);
        http = (await ready(relay)).http;
      } else {
        const shown = command.replaceAll('http://127.0.0.1:4443', http).replace(/^curl/, 'curl -sSf');
        const result = await finished(start(shown), 20_000);
        expect(`${command}: ${result.code} ${result.stderr}`).toMatch(/: 0 /);
      }
    }
    await stop();
  } finally {
    relay?.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
});
