import { afterEach, expect, it } from 'vitest';
import type { Authoriser } from '../../src/access/grant.ts';
import { everythingBelow } from '../../src/access/pattern.ts';
import { establish } from '../../src/session/establish.ts';
import type { IncomingSubscribe, Session, SessionHandlers } from '../../src/session/types.ts';
import { connectQmux } from '../../src/transport/qmux/connect.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { eventually } from './eventually.ts';
import { type OpenRelay, openRelay } from './open-relay.ts';

let open: OpenRelay;
afterEach(() => open.close());

const rights = { publish: [everythingBelow([])], subscribe: [everythingBelow([])] };
const held = { lapsed: () => undefined, watch: () => () => {} };
const authoriser: Authoriser = { authorise: async () => ({ kind: 'both', ...rights, ...held }) };

async function dial(path: string, version: string, handlers: SessionHandlers = {}): Promise<[Transport, Session]> {
  const transport = await connectQmux({ url: `ws://127.0.0.1:${open.relay.httpPort}${path}`, versions: [version] });
  return [transport, await establish(transport, { role: 'client', handlers })];
}

const asks: Record<string, (session: Session, i: number) => Promise<unknown>> = {
  announcements: (session, i) => session.publishNamespace(['ghost', String(i)]),
  subscriptions: (session, i) => session.subscribe({ namespace: ['live'], name: `t${i}` }),
  offers: (session, i) => session.publish({ namespace: ['ghost'], name: `t${i}` }, { alias: 7 }),
  prefixes: (session) => session.subscribeNamespace(['live']),
};

it.each(
  ['moqt-18', 'moqt-16', 'moq-lite-05'].flatMap((version) =>
    Object.keys(asks)
      .filter((what) => version !== 'moq-lite-05' || what !== 'offers')
      .map((what) => [what, version] as const),
  ),
)('20 %s over WebSocket (%s) whose sessions close while they wait leave nothing', async (what, version) => {
  open = await openRelay({ authoriser, limits: { subscriptionLingerMs: 20 } });
  const requests: IncomingSubscribe[] = [];
  // It answers when all who asked have left.
  const [, publisher] = await dial('/', 'moqt-18', { subscribe: (request) => void requests.push(request) });
  await publisher.publishNamespace(['live']);
  for (let i = 0; i < 20; i++) {
    const [transport, session] = await dial('/', version);
    asks[what]!(session, i).catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    transport.close({ code: 0, reason: '' });
    await transport.closed;
  }
  for (const [i, request] of requests.entries()) request.accept({ alias: i });
  await eventually(() =>
    expect(open.relay.stats()).toMatchObject({ sessions: 1, namespaces: 1, tracks: 0, subscriptions: 0, faults: 0 }),
  );
});
