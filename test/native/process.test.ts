import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fromUtf8 } from '../../src/core/bytes.ts';
import { sharedCertificate, testListener } from '../helpers/quic.ts';

const peer = fileURLToPath(new URL('peer.js', import.meta.url));
const native = fileURLToPath(new URL('../../native/prebuilds/streams-quic-linux-x64-gnu.node', import.meta.url));

async function start(mode: string, options: { port?: number; idleTimeoutMs?: number }): Promise<ChildProcess> {
  const { certificatePem, privateKeyPem } = await sharedCertificate();
  const path = process.env.STREAMS_QUIC_NATIVE ?? native;
  const json = JSON.stringify({ native: path, certificatePem, privateKeyPem, ...options });
  return spawn(process.execPath, [peer, mode, json], { stdio: ['ignore', 'inherit', 'inherit'] });
}

async function exit(child: ChildProcess): Promise<unknown> {
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  const [code, signal] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode, null];
  clearTimeout(timer);
  return signal ?? code;
}

describe('a process with the QUIC socket', () => {
  it('that vanishes is noticed by the idle timeout', async () => {
    const listener = await testListener({ idleTimeoutMs: 1000 });
    const child = await start('stay', { port: listener.port });
    const transport = (await listener.accept())!;
    const stream = (await transport.acceptUni())!;
    expect(fromUtf8((await stream.read())!)).toBe('hello');
    child.kill('SIGKILL');
    await exit(child);
    await expect(stream.read()).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
    expect(await transport.closed).toMatchObject({ by: 'transport', reason: expect.stringContaining('idle timeout') });
    await listener.close();
  });

  it('exits with everything open, time and again', async () => {
    for (let round = 0; round < 5; round++) expect(await exit(await start('exit', {}))).toBe(0);
  });

  it('ends by itself after closing, and its peer has heard the close', async () => {
    const listener = await testListener();
    const child = await start('drain', { port: listener.port });
    const transport = (await listener.accept())!;
    expect(await transport.closed).toEqual({ by: 'peer', code: 7, reason: 'done' });
    expect(await exit(child)).toBe(0);
    await listener.close();
  });
});
