import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type DebugHttp, serveDebugHttp } from '../../../src/relay/http/debug-http.ts';
import { testRelay } from '../harness.ts';

let http: DebugHttp | undefined;
afterEach(async () => {
  await http?.close();
  http = undefined;
});

const start = async (): Promise<string> => {
  const relay = testRelay();
  http = await serveDebugHttp({
    host: '127.0.0.1',
    port: 0,
    certificateSha256: () => 'ab'.repeat(32),
    stats: () => relay.stats(),
  });
  return `http://127.0.0.1:${http.port}`;
};

describe('the debug HTTP', () => {
  it('tells the certificate hash to any origin', async () => {
    const response = await fetch(`${await start()}/certificate.sha256`);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(await response.text()).toBe('ab'.repeat(32));
  });

  it('answers health and metrics, and nothing else', async () => {
    const url = await start();
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    for (const line of ['streams_relay_sessions 0', 'streams_relay_bytes_out_total 0', 'streams_relay_tracks 0']) {
      expect(metrics.split('\n')).toContain(line);
    }
    expect((await fetch(`${url}/other`)).status).toBe(404);
    expect((await fetch(`${url}/health`, { method: 'POST', body: 'x' })).status).toBe(405);
  });

  it('closes a connection that speaks garbage, and no other', async () => {
    const url = await start();
    const socket = connect(http!.port, '127.0.0.1');
    socket.on('error', () => {});
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(Buffer.alloc(2000, 0x80));
    await closed;
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it('says when its port is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const relay = testRelay();
    const taken = serveDebugHttp({
      host: '127.0.0.1',
      port,
      certificateSha256: () => '',
      stats: () => relay.stats(),
    });
    await expect(taken).rejects.toMatchObject({ code: 'PORT_IN_USE' });
    await new Promise((resolve) => other.close(resolve));
  });
});
