import { PublisherSession } from '../../../src/sdk/publisher/publisher-session.ts';
import { establish } from '../../../src/session/establish.ts';
import { connect } from '../../../src/transport/connect.ts';
import type { CongestionControl } from '../../../src/transport/quic/native-types.ts';
import { startBroadcast } from './broadcast.ts';

/** A process of its own: publishes to `url` until its standard input ends. */
const [url, congestionControl] = process.argv.slice(2) as [string, CongestionControl];
const { broadcast, stop } = startBroadcast();
const transport = await connect(url, {
  versions: ['moqt-18'],
  trust: { insecure: true },
  quic: { congestionControl },
});
const { handlers } = new PublisherSession(broadcast, transport, () => {});
const session = await establish(transport, { role: 'client', path: '/', authority: new URL(url).host, handlers });
await session.publishNamespace(['bench']);
console.log('published');
process.stdin.resume();
await Promise.race([new Promise((resolve) => process.stdin.on('end', resolve)), session.closed]);
stop();
session.close(0, '');
process.exit(0);
