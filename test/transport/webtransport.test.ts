import { memoryPair } from '../../src/transport/memory.ts';
import { acceptWebTransport } from '../../src/transport/webtransport/accept.ts';
import { connectWebTransport } from '../../src/transport/webtransport/connect.ts';
import { describeTransport } from './suite.ts';

describeTransport('webtransport over memory', async () => {
  const base = memoryPair({ protocol: 'h3' });
  const [client, server] = await Promise.all([
    connectWebTransport(base.client, { authority: 'localhost:4443', path: '/', protocols: ['moqt-18'] }),
    acceptWebTransport(base.server, { protocols: ['moqt-18'] }),
  ]);
  return { client, server, close: async () => base.drop() };
});
