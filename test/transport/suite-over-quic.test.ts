import { describe, expect, it } from 'vitest';
import { connect } from '../../src/transport/connect.ts';
import { connectQuic } from '../../src/transport/quic/connect.ts';
import type { QuicListener } from '../../src/transport/quic/listen.ts';
import { listenQuic } from '../../src/transport/quic/listen.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { acceptWebTransport } from '../../src/transport/webtransport/accept.ts';
import { testCertificate } from '../helpers/certificate.ts';
import { describeTransport } from './suite.ts';

const certificate = await testCertificate();

const listen = (alpn: string) =>
  listenQuic({
    host: '127.0.0.1',
    port: 0,
    alpn: [alpn],
    certificatePem: certificate.certificatePem,
    privateKeyPem: certificate.privateKeyPem,
  });

async function accepted(listener: QuicListener): Promise<Transport> {
  const transport = await listener.accept();
  if (transport === null) throw new Error('the listener closed');
  return transport;
}

describeTransport('quic', async () => {
  const listener = await listen('moqt-18');
  const [client, server] = await Promise.all([
    connectQuic({
      host: '127.0.0.1',
      port: listener.port,
      alpn: ['moqt-18'],
      trust: { certificateHashes: [certificate.sha256] },
    }),
    accepted(listener),
  ]);
  return {
    client,
    server,
    close: async () => {
      client.close({ code: 0, reason: '' });
      await listener.close();
    },
  };
});

describeTransport('webtransport over quic', async () => {
  const listener = await listen('h3');
  const [client, server] = await Promise.all([
    connect(`https://127.0.0.1:${listener.port}/publish/lv_1?sk=x`, {
      versions: ['moqt-18', 'moqt-16'],
      certificateHashes: [certificate.sha256],
    }),
    accepted(listener).then((base) => acceptWebTransport(base, { protocols: ['moqt-16', 'moqt-18'] })),
  ]);
  expect([client.protocol, server.protocol]).toEqual(['moqt-18', 'moqt-18']);
  expect(server.path).toBe('/publish/lv_1?sk=x');
  expect(server.remoteAddress).toMatch(/^127\.0\.0\.1:\d+$/);
  return {
    client,
    server,
    close: async () => {
      client.close({ code: 0, reason: '' });
      await listener.close();
    },
  };
});

describe('many sessions', () => {
  it('share the socket, and one write reaches a stream of each', async () => {
    const listener = await listen('h3');
    const sessions: { client: Transport; server: Transport }[] = [];
    for (let i = 0; i < 5; i++) {
      const [client, server] = await Promise.all([
        connect(`https://127.0.0.1:${listener.port}/`, { versions: [], certificateHashes: [certificate.sha256] }),
        accepted(listener).then((base) => acceptWebTransport(base, { protocols: [] })),
      ]);
      sessions.push({ client, server });
    }
    const streams = sessions.map(({ server }) => server.openUni());
    expect(new Set(streams.map((stream) => stream.fanOut)).size).toBe(1);
    expect(streams[0]?.fanOut).toBeDefined();
    for (const { client } of sessions) client.close({ code: 0, reason: '' });
    for (const { server } of sessions) expect((await server.closed).by).toBe('peer');
    await listener.close();
  });
});
