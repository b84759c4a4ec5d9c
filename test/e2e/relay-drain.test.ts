import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it } from 'vitest';
import { establish } from '../../src/session/establish.ts';
import { connect } from '../../src/transport/connect.ts';
import { finished, repoRoot } from '../helpers/streams-cli.ts';

it('a relay that is stopped sends its sessions where it was told to', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'streams-drain-'));
  const file = join(folder, 'relay.toml');
  const text = 'drain_to = "https://other.example:4443"\ndrain_timeout = "20s"\n[auth]\npublic = ""\n';
  await writeFile(file, text);
  const args = ['relay', file, '--listen', '127.0.0.1:0', '--json', '--data-dir', folder];
  const relay = spawn(process.execPath, [join(repoRoot, 'bin/streams.js'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await new Promise<string>((resolve) => {
      createInterface({ input: relay.stdout }).on('line', (line) => {
        const event = JSON.parse(line);
        if (event.type === 'ready') resolve(event.urls.http);
      });
    });
    const transport = await connect(`${url.replace('http', 'ws')}/room?jwt=`, { versions: ['moqt-18'] });
    const session = await establish(transport, { role: 'client' });
    const ended = finished(relay, 15_000);
    relay.kill('SIGTERM');
    expect(await session.goaway).toEqual({ uri: 'https://other.example:4443/room?jwt=', timeoutMs: 20_000 });
    session.close(0, 'as asked');
    expect((await ended).code).toBe(0);
  } finally {
    relay.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
});
