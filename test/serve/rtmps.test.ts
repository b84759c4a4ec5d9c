import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, it } from 'vitest';
import { testCertificate } from '../helpers/certificate.ts';
import { startStack } from './stack.ts';

it('serves RTMPS beside RTMP where there is a certificate, and names it', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'streams-rtmps-'));
  try {
    const { certificatePem, privateKeyPem } = await testCertificate();
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    await writeFile(cert, certificatePem);
    await writeFile(key, privateKeyPem);
    const tls = ['--https-port', '0', '--rtmps-port', '0', '--tls-cert', cert, '--tls-key', key];
    const stack = await startStack(folder, tls);
    try {
      const { http, rtmps } = stack.ready.urls as unknown as Record<string, string>;
      expect(rtmps).toMatch(/^rtmps:\/\/localhost:\d+\/live$/);
      const answer = await fetch(`${http}/v1/live-inputs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${stack.ready.apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'a' }),
      });
      const { urls, id } = (await answer.json()) as { id: string; urls: { rtmps: string } };
      expect(urls.rtmps.startsWith(`${rtmps}/${id}?sk=`)).toBe(true);
      const port = Number(new URL(rtmps!.replace(/^rtmps/, 'https')).port);
      const socket = connect({ port, host: '127.0.0.1', servername: 'localhost', ca: certificatePem });
      await once(socket, 'secureConnect');
      expect(socket.authorized).toBe(true);
      socket.destroy();
    } finally {
      expect((await stack.end('SIGTERM')).code).toBe(0);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
