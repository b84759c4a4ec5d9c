import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { sharedCertificate, testConnect, testListener } from '../helpers/quic.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** A listener in a process of its own, with a connection to it; `kill` leaves it no time for a word. */
async function doomedPeer(resetKey: Uint8Array) {
  const { certificatePem, privateKeyPem } = await sharedCertificate();
  const native = `${root}native/prebuilds/streams-quic-linux-x64-gnu.node`;
  const options = { native, certificatePem, privateKeyPem, resetKey: Buffer.from(resetKey).toString('hex') };
  const child = spawn(process.execPath, [`${root}test/native/peer.js`, 'serve', JSON.stringify(options)]);
  const exited = once(child, 'exit');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  return { port: Number(line.toString()), kill };
}

describe('a listener started anew on the port of one that died', () => {
  it('with the same reset key, tells connections of old that they are gone', async () => {
    const resetKey = randomBytes(64);
    const { port, kill } = await doomedPeer(resetKey);
    const talking = await testConnect(port);
    const quiet = await testConnect(port, { keepAliveMs: 500 });
    await kill();
    const listener = await testListener({ port, resetKey });
    try {
      const restartedAt = performance.now();
      talking.openUni().write(new Uint8Array(100));
      expect((await talking.closed).by).toBe('transport');
      expect((await quiet.closed).by).toBe('transport');
      // Far below the idle timeout of 30 s.
      expect(performance.now() - restartedAt).toBeLessThan(2000);

      const client = await testConnect(port);
      client.close({ code: 0, reason: '' });
    } finally {
      await listener.close();
    }
  });

  it('refuses a reset key of another length', async () => {
    await expect(testListener({ resetKey: randomBytes(32) })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
