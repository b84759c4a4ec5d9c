import { connectQuic } from '../../src/transport/quic/connect.ts';
import { listenQuic } from '../../src/transport/quic/listen.ts';
import { testCertificate } from '../helpers/certificate.ts';
import { describeTransport } from './suite.ts';

describeTransport('quic', async () => {
  const certificate = await testCertificate();
  const listener = await listenQuic({ host: 'localhost', port: 0, alpn: ['test'], ...certificate });
  const accepted = listener.accept();
  const client = await connectQuic({
    host: 'localhost',
    port: listener.port,
    alpn: ['test'],
    trust: { certificateHashes: [certificate.sha256] },
  });
  const server = (await accepted)!;
  return {
    client,
    server,
    close: async () => {
      client.close({ code: 0, reason: '' });
      await listener.close();
    },
  };
});
