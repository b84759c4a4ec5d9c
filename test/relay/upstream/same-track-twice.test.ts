import { describe, expect, it, onTestFinished } from 'vitest';
import { requestErrorCodes } from '../../../src/codec/moqt/codes.ts';
import { dialectOf } from '../../../src/codec/moqt/dialects.ts';
import { fromHex } from '../../../src/core/bytes.ts';
import { establish } from '../../../src/session/establish.ts';
import { RequestError } from '../../../src/session/request-error.ts';
import type { Publication, Session, SessionHandlers, Subscription } from '../../../src/session/types.ts';
import { memoryPair } from '../../../src/transport/memory.ts';
import { connectQuic } from '../../../src/transport/quic/connect.ts';
import type { Transport } from '../../../src/transport/transport.ts';
import { connectWebTransport } from '../../../src/transport/webtransport/connect.ts';
import { eventually } from '../eventually.ts';
import { namespace, object, readSubgroup, testRelay } from '../harness.ts';
import { openRelay } from '../open-relay.ts';

const protocols = ['moqt-18', 'moqt-16', 'moqt-22'];
const kinds = ['memory', 'quic', 'webtransport'] as const;
type Dial = (path: string) => Promise<Transport>;

async function start(kind: (typeof kinds)[number], protocol: string): Promise<Dial> {
  if (kind === 'memory') {
    const relay = testRelay();
    return async (path) => {
      const pair = memoryPair({ protocol, path });
      onTestFinished(() => pair.drop());
      void relay.serve(pair.server);
      return pair.client;
    };
  }
  const { relay, close } = await openRelay();
  onTestFinished(close);
  const trust = { certificateHashes: [fromHex(relay.certificateSha256)] };
  const { port } = relay;
  return async (path) => {
    const alpn = [kind === 'quic' ? protocol : 'h3'];
    const transport = await connectQuic({ host: '127.0.0.1', port, alpn, trust });
    onTestFinished(() => transport.close({ code: 0, reason: '' }));
    if (kind === 'quic') return transport;
    return connectWebTransport(transport, { authority: `127.0.0.1:${port}`, path, protocols: [protocol] });
  };
}

async function open(dial: Dial, path: string, handlers: SessionHandlers = {}) {
  const transport = await dial(path);
  const own = transport.path === '' ? { path, authority: '127.0.0.1' } : {};
  return { transport, session: await establish(transport, { role: 'client', handlers, ...own }) };
}

/** Every track asked for: a group of 48 KiB each 5 ms. */
async function publishAll(dial: Dial): Promise<void> {
  const publications = new Set<Publication>();
  let alias = 1;
  const { session } = await open(dial, '/publish/lv_one', {
    subscribe(request) {
      if (request.track.name === 'later') return;
      const publication = request.accept({ alias: alias++ });
      publications.add(publication);
      void publication.cancelled.then(() => publications.delete(publication));
    },
  });
  await session.publishNamespace(namespace);
  let groupId = 1;
  const timer = setInterval(() => {
    for (const publication of publications) {
      const writer = publication.openSubgroup({ groupId, subgroupId: 0, priority: 2, endOfGroup: true });
      for (let id = 0; id < 3; id++) writer.write(object(groupId, id, 16_384));
      writer.finish();
    }
    groupId++;
  }, 5);
  onTestFinished(() => clearInterval(timer));
}

/** Reads a track and counts its groups. */
async function play(session: Session, name: string): Promise<{ groups: number }> {
  const subscription = await session.subscribe({ namespace, name });
  const seen = { groups: 0 };
  const read = async (): Promise<void> => {
    for (let next = await subscription.nextSubgroup(); next !== null; next = await subscription.nextSubgroup())
      void readSubgroup(next).then(() => seen.groups++);
  };
  void read();
  return seen;
}

/** Until the relay has heard of the end of the one before, it refuses the next. */
async function subscribeAgain(session: Session, name: string): Promise<Subscription> {
  return eventually(() => session.subscribe({ namespace, name }));
}

describe.each(protocols.flatMap((protocol) => kinds.map((kind) => ({ protocol, kind }))))(
  'one track subscribed twice in a session of $protocol over $kind',
  ({ protocol, kind }) => {
    it('stalls neither the session nor its other tracks', async () => {
      const dial = await start(kind, protocol);
      await publishAll(dial);
      const { transport, session } = await open(dial, '/playback/lv_one');
      const others = [await play(session, 'audio'), await play(session, 'video')];
      const goOn = async (): Promise<void> => {
        const before = others.map(({ groups }) => groups);
        const ahead = () => Math.min(...others.map(({ groups }, i) => groups - before[i]!));
        await eventually(() => expect(ahead()).toBeGreaterThan(5), 2000);
      };
      const track = { namespace, name: 'twice' };

      const first = await session.subscribe(track);
      await expect(session.subscribe(track)).rejects.toMatchObject({ code: 'CONFLICT' });
      // Where each request has a stream of its own, one that our own session would not send.
      if (protocol !== 'moqt-16') {
        const dialect = dialectOf(protocol)!;
        const { send, receive } = transport.openBidi();
        send.write(dialect.encodeMessage({ type: 'subscribe', requestId: 4000, track, parameters: {} }));
        const [answer] = dialect.controlDecoder().push((await receive.read())!);
        if (dialect.concurrentSubscriptions) {
          expect(answer).toMatchObject({ type: 'subscribeOk' });
          // The alias is that of the first, whose session hands out the streams of both (draft-19 5.1).
          const seen = new Set<number>();
          for (let twice = 0; twice < 3; ) {
            const { groupId } = (await first.nextSubgroup())!;
            if (seen.has(groupId)) twice++;
            seen.add(groupId);
          }
          send.reset(0);
          receive.stop(0);
        } else {
          expect(answer).toMatchObject({ type: 'requestError', code: requestErrorCodes.duplicateSubscription });
          send.finish();
        }
      }
      await goOn();
      // While the first is being ended, of which nothing was read.
      first.unsubscribe();
      (await subscribeAgain(session, 'twice')).unsubscribe();
      await goOn();

      // An answer that does not come: streams whose owner is gone could be meant for it.
      const giveUp = new AbortController();
      const later = session.subscribe({ namespace, name: 'later' }, { rendezvousMs: 60_000, signal: giveUp.signal });
      later.catch(() => {});
      for (let i = 0; i < 200; i++) {
        const given = new AbortController();
        const asked = session.subscribe(track, { signal: given.signal });
        if (i % 4 === 0) given.abort();
        try {
          const subscription = await asked;
          if (i % 4 > 1) await subscription.nextSubgroup();
          subscription.unsubscribe();
        } catch (error) {
          if (!given.signal.aborted) expect(error).toBeInstanceOf(RequestError);
        }
        if (i % 40 === 0) await goOn();
      }
      await goOn();
      const last = await subscribeAgain(session, 'twice');
      for (let i = 0; i < 10; i++) expect((await readSubgroup((await last.nextSubgroup())!)).end).toBe('fin');
      giveUp.abort();
      await expect(later).rejects.toMatchObject({ code: 'INTERRUPTED' });
      await goOn();
    });
  },
);
