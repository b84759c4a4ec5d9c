import { describe, expect, it } from 'vitest';
import { draft16 } from '../../../src/codec/moqt/draft16/draft16.ts';
import type { Message } from '../../../src/codec/moqt/message.ts';
import { emptyBytes } from '../../../src/core/bytes.ts';
import { establish } from '../../../src/session/establish.ts';
import type { EstablishOptions, IncomingSubscribe } from '../../../src/session/types.ts';
import type { BidiStream, Transport } from '../../../src/transport/transport.ts';
import { header, obj, pair, track } from '../helpers.ts';

const encode = (message: Message) => draft16.encodeMessage(message);

/** A draft-16 peer that speaks bytes; `role` is ours. */
async function rawPeer(role: 'client' | 'server', options: Partial<EstablishOptions> = {}, maxRequestId = 100) {
  const both = pair({ protocol: 'moqt-16' });
  const raw: Transport = role === 'server' ? both.client : both.server;
  const opening = establish(role === 'server' ? both.server : both.client, { role, ...options });
  opening.catch(() => {});
  const control: BidiStream = role === 'server' ? raw.openBidi() : (await raw.acceptBidi())!;
  const decoder = draft16.controlDecoder();
  const heard: Message[] = [];
  const next = async (): Promise<Message> => {
    while (heard.length === 0) heard.push(...decoder.push((await control.receive.read())!));
    return heard.shift()!;
  };
  const say = (...messages: Message[]) => messages.forEach((message) => void control.send.write(encode(message)));
  say({ type: role === 'server' ? 'clientSetup' : 'serverSetup', maxRequestId });
  expect(await next()).toMatchObject({ type: role === 'server' ? 'serverSetup' : 'clientSetup', maxRequestId: 2048 });
  return { raw, session: await opening, say, next, control };
}

const subscribe = (requestId: number, name = track.name): Message => ({
  type: 'subscribe',
  requestId,
  track: { ...track, name },
  parameters: {},
});

describe('requests of one control stream', () => {
  it('are told apart by their ids, and ended by UNSUBSCRIBE', async () => {
    const { session, say, next, raw } = await rawPeer('client');
    const first = session.subscribe({ ...track, name: 'a' });
    const second = session.subscribe({ ...track, name: 'b' });
    expect(await next()).toMatchObject({ type: 'subscribe', requestId: 0, track: { name: 'a' } });
    expect(await next()).toMatchObject({ type: 'subscribe', requestId: 2, track: { name: 'b' } });
    const ok = { type: 'subscribeOk', parameters: {}, trackProperties: emptyBytes } as const;
    say({ ...ok, requestId: 2, trackAlias: 20 }, { ...ok, requestId: 0, trackAlias: 10 });
    await first;
    const b = await second;
    const stream = raw.openUni();
    stream.write(draft16.encodeSubgroupHeader({ trackAlias: 20, properties: false, firstObject: false, ...header(1) }));
    stream.write(draft16.encodeObject(undefined, obj(0, 'x'), false));
    stream.finish();
    expect(await (await b.nextSubgroup())!.next()).toEqual(obj(0, 'x'));
    b.unsubscribe();
    expect(await next()).toEqual({ type: 'unsubscribe', requestId: 2 });
    // What crosses with it is of no interest any more.
    say({ type: 'publishDone', requestId: 2, status: 2, streamCount: 1, reason: '' });
    say({ type: 'publishDone', requestId: 0, status: 2, streamCount: 0, reason: 'over' });
    expect(await (await first).done).toMatchObject({ by: 'publisher', status: 2, reason: 'over' });
  });

  it('answers updates by their own ids', async () => {
    const requests: IncomingSubscribe[] = [];
    const { say, next } = await rawPeer('server', {
      handlers: {
        subscribe(request) {
          requests.push(request);
          request.accept({ alias: 1 });
        },
      },
    });
    say(subscribe(0), {
      type: 'requestUpdate',
      requestId: 2,
      existingRequestId: 0,
      parameters: { subscriberPriority: 3 },
    });
    expect(await next()).toMatchObject({ type: 'subscribeOk', requestId: 0, trackAlias: 1 });
    expect(await next()).toMatchObject({ type: 'requestOk', requestId: 2 });
    expect(requests[0]!.terms.priority).toBe(3);
    say({ type: 'unsubscribe', requestId: 0 });
    await requests[0]!.cancelled;
  });

  it('wait until MAX_REQUEST_ID lets them go', async () => {
    const { session, say, next } = await rawPeer('client', {}, 2);
    void session.subscribe({ ...track, name: 'a' }).catch(() => {});
    const abort = new AbortController();
    const waiting = session.subscribe({ ...track, name: 'b' }, { signal: abort.signal });
    expect(await next()).toMatchObject({ type: 'subscribe', requestId: 0 });
    expect(await next()).toEqual({ type: 'requestsBlocked', max: 2 });
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'INTERRUPTED' });
    say({ type: 'maxRequestId', max: 4 });
    expect(await next()).toMatchObject({ type: 'subscribe', requestId: 2 });
    expect(await next()).toEqual({ type: 'unsubscribe', requestId: 2 });
  });

  it('may go on for ever, if not all at once', async () => {
    const { say, next, session } = await rawPeer('server', {
      handlers: { subscribe: (request) => request.reject(0x10, '') },
    });
    for (let id = 0; id < 1100; id += 2) {
      say(subscribe(id));
      expect(await next()).toMatchObject({ type: 'requestError', requestId: id });
      if (id === 1022) expect(await next()).toEqual({ type: 'maxRequestId', max: 3072 });
    }
    say(subscribe(4000));
    expect(await session.closed).toMatchObject({ by: 'local', code: 0x7 });
  });

  it('withdraw namespaces by message, from either side', async () => {
    const { session, say, next } = await rawPeer('client');
    const published = session.publishNamespace(['a']);
    expect(await next()).toMatchObject({ type: 'publishNamespace', requestId: 0 });
    say({ type: 'requestOk', requestId: 0, parameters: {}, trackProperties: emptyBytes });
    (await published).withdraw();
    expect(await next()).toEqual({ type: 'publishNamespaceDone', requestId: 0 });
    const other = session.publishNamespace(['b']);
    expect(await next()).toMatchObject({ type: 'publishNamespace', requestId: 2 });
    say({ type: 'requestOk', requestId: 2, parameters: {}, trackProperties: emptyBytes });
    say({ type: 'publishNamespaceCancel', requestId: 2, code: 0x20, reason: '' });
    await (await other).ended;
  });

  it.each<{ name: string; messages: Message[]; code: number }>([
    { name: 'an answer to nothing', messages: [{ type: 'unsubscribe', requestId: 0 }], code: 0x3 },
    { name: 'a second SETUP', messages: [{ type: 'clientSetup' }], code: 0x3 },
    { name: 'the SETUP of a server', messages: [{ type: 'serverSetup' }], code: 0x3 },
    { name: 'a limit that does not grow', messages: [{ type: 'maxRequestId', max: 100 }], code: 0x3 },
    { name: 'an id of ours', messages: [subscribe(1)], code: 0x4 },
    { name: 'an id twice', messages: [subscribe(0), subscribe(0, 'b')], code: 0x4 },
    {
      name: 'SUBSCRIBE_NAMESPACE without its stream',
      messages: [{ type: 'subscribeNamespace', requestId: 0, prefix: [], parameters: {} }],
      code: 0x3,
    },
    { name: 'NAMESPACE without its stream', messages: [{ type: 'namespace', suffix: [] }], code: 0x3 },
  ])('close the session for $name', async ({ messages, code }) => {
    const { session, say } = await rawPeer('server', { handlers: { subscribe: () => {} } });
    say(...messages);
    expect(await session.closed).toMatchObject({ by: 'local', code });
  });

  it('take the session along when their stream ends', async () => {
    const { session, control } = await rawPeer('server');
    control.send.finish();
    expect(await session.closed).toMatchObject({ by: 'local', code: 0x3 });
  });
});
