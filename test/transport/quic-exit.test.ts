import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedCertificate } from '../helpers/quic.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-quic-'));
  const entry = { listen: `${root}src/transport/quic/listen.ts`, connect: `${root}src/transport/quic/connect.ts` };
  await build({
    configFile: false,
    logLevel: 'error',
    build: { ssr: true, outDir: folder, emptyOutDir: false, rollupOptions: { input: entry } },
  });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** Runs a module in a process of its own; answers what it printed once it has ended by itself with code 0. */
async function inProcess(body: string): Promise<string> {
  const { certificatePem, privateKeyPem } = await sharedCertificate();
  const script = `
    import { listenQuic } from ${JSON.stringify(join(folder, 'listen.js'))};
    import { connectQuic } from ${JSON.stringify(join(folder, 'connect.js'))};
    const own = ${JSON.stringify({ certificatePem, privateKeyPem })};
    const listener = await listenQuic({ host: '127.0.0.1', port: 0, alpn: ['test'], ...own });
    ${body}`;
  const native = `${root}native/prebuilds/streams-quic-linux-x64-gnu.node`;
  const env = { STREAMS_QUIC_NATIVE: native, ...process.env };
  return (await run(process.execPath, ['--input-type=module', '-e', script], { env, timeout: 15_000 })).stdout.trim();
}

const connect = `await connectQuic({ host: '127.0.0.1', port: listener.port, alpn: ['test'], trust: { insecure: true } })`;

describe('a process with quic transports', () => {
  it('ends by itself once all is closed', async () => {
    const printed = await inProcess(`
      const client = ${connect};
      client.openUni().write(new Uint8Array(100_000));
      client.close({ code: 1, reason: 'done' });
      await listener.close();
      console.log((await client.closed).by);`);
    expect(printed).toBe('local');
  });

  it('is kept alive by an open listener', async () => {
    const printed = await inProcess(`
      setTimeout(async () => { console.log('still here'); await listener.close(); }, 200).unref();`);
    expect(printed).toBe('still here');
  });

  it('exits with everything open', async () => {
    const printed = await inProcess(`
      const client = ${connect};
      const server = await listener.accept();
      for (let i = 0; i < 50; i++) client.openBidi().send.write(new Uint8Array(1 << 20));
      server.acceptBidi().then(() => { console.log('bye'); process.exitCode = 0; process.exit(); });`);
    expect(printed).toBe('bye');
  });
});
