import { establish } from '../../src/session/establish.ts';
import type { Session } from '../../src/session/types.ts';
import { connect } from '../../src/transport/connect.ts';
import { readMark } from './mark.ts';
import { connectOptions, type RelayTarget } from './relay-targets.ts';

/** One process full of viewers, so that their CPU is not counted as the relay's. Driven by relay.ts over IPC. */
export type ViewersOrder = {
  url: string;
  namespace: string[];
  track: string;
  viewers: number;
  trust?: NonNullable<RelayTarget['trust']>;
  version: string;
};
export type ViewersReport = { objects: number; bytes: number; lost: number; latencies: number[] };

const sessions: Session[] = [];
const report: ViewersReport = { objects: 0, bytes: 0, lost: 0, latencies: [] };

async function view(order: ViewersOrder): Promise<void> {
  const url = new URL(order.url);
  const transport = await connect(order.url, connectOptions(order));
  const session = await establish(transport, { role: 'client', path: url.pathname + url.search, authority: url.host });
  sessions.push(session);
  const subscription = await session.subscribe(
    { namespace: order.namespace, name: order.track },
    { rendezvousMs: 10_000 },
  );
  void (async () => {
    let expected: number | undefined;
    for (;;) {
      const subgroup = await subscription.nextSubgroup();
      if (subgroup === null) return;
      for (;;) {
        const object = await subgroup.next().catch(() => null);
        if (object === null) break;
        const mark = readMark(object.payload);
        report.objects++;
        report.bytes += object.payload.length;
        report.latencies.push(performance.timeOrigin + performance.now() - mark.sentAt);
        if (expected !== undefined && mark.sequence > expected) report.lost += mark.sequence - expected;
        expected = mark.sequence + 1;
      }
    }
  })();
}

process.on('message', async (message: { order?: ViewersOrder; reset?: true; report?: true; stop?: true }) => {
  if (message.order !== undefined) {
    for (let left = message.order.viewers; left > 0; left -= 20)
      await Promise.all(Array.from({ length: Math.min(20, left) }, () => view(message.order!)));
    process.send!({ joined: sessions.length });
  }
  if (message.reset) {
    report.objects = report.bytes = report.lost = 0;
    report.latencies = [];
    process.send!({ reset: true });
  }
  if (message.report) process.send!({ report });
  if (message.stop) {
    for (const session of sessions) session.close(0, 'bench over');
    process.exit(0);
  }
});
