import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../fixtures/wire/annotated.ts';
import { invalidFilters } from '../../fixtures/wire/moqt-19/control.ts';
import { invalidFilter, publishDoneCodes } from '../../src/codec/moqt/codes.ts';
import { draft19 } from '../../src/codec/moqt/draft19/draft19.ts';
import { draft20 } from '../../src/codec/moqt/draft20/draft20.ts';
import type { MessageParameters } from '../../src/codec/moqt/fields/parameters.ts';
import type { RangeFilters } from '../../src/codec/moqt/fields/range-filters.ts';
import type { Message } from '../../src/codec/moqt/message.ts';
import { concat, emptyBytes } from '../../src/core/bytes.ts';
import { establish } from '../../src/session/establish.ts';
import { filtersWithin, ObjectFilter } from '../../src/session/object-filter.ts';
import type { IncomingFetch, IncomingPrefix, IncomingSubscribe, SessionHandlers } from '../../src/session/types.ts';
import { pair, track } from './helpers.ts';

const from = (start: bigint, end?: bigint) => ({ start, ...(end !== undefined && { end }) });
const one = (start: bigint, end?: bigint, set = 0) => [{ set, ranges: [from(start, end)] }];
const property = (type: number, start: bigint, end: bigint, set = 0) => [
  { set, property: type, ranges: [from(start, end)] },
];
const tooMany: RangeFilters = {
  object: [{ set: 0, ranges: Array.from({ length: 65 }, (_, i) => from(2n * BigInt(i), 2n * BigInt(i))) }],
};

/** A client that speaks bytes, and the server it speaks to. */
async function rawClient(handlers: SessionHandlers, dialect = draft19) {
  const both = pair({ protocol: dialect.version });
  const opening = establish(both.server, { role: 'server', handlers });
  both.client.openUni().write(dialect.encodeMessage({ type: 'setup' }));
  const session = await opening;
  const request = (bytes: Uint8Array) => {
    const { send, receive } = both.client.openBidi();
    const decoder = dialect.controlDecoder();
    const heard: Message[] = [];
    send.write(bytes);
    return {
      say: (message: Message) => void send.write(dialect.encodeMessage(message)),
      async next(): Promise<Message | undefined> {
        while (heard.length === 0) {
          const bytes = await receive.read();
          if (bytes === null) return undefined;
          heard.push(...decoder.push(bytes));
        }
        return heard.shift();
      },
    };
  };
  const ask = (message: Message) => request(dialect.encodeMessage(message));
  return { session, client: both.client, request, ask };
}

const subscribe = (parameters: MessageParameters): Message => ({ type: 'subscribe', requestId: 0, track, parameters });
const update = (parameters: MessageParameters): Message => ({ type: 'requestUpdate', requestId: 2, parameters });
const refusal = { type: 'requestError', code: invalidFilter };

describe('a peer with filters', () => {
  it.each([
    { version: 'moqt-18', told: undefined },
    { version: 'moqt-19', told: 64 },
    { version: 'moqt-22', told: 64 },
  ])('hears in $version how many ranges it may have', async ({ version, told }) => {
    const both = pair({ protocol: version });
    void establish(both.client, { role: 'client' }).catch(() => {});
    const control = (await both.server.acceptUni())!;
    const [setup] = draft19.controlDecoder().push((await control.read())!);
    expect((setup as Message & { type: 'setup' }).maxFilterRanges).toBe(told);
  });

  it.each(invalidFilters)('is refused with INVALID_FILTER, and goes on: $name', async ({ bytes }) => {
    const requests: IncomingSubscribe[] = [];
    const { request, ask } = await rawClient({ subscribe: (each) => void requests.push(each) });
    expect(await request(bytesOf(bytes)).next()).toMatchObject(refusal);
    expect(requests).toEqual([]);
    expect(await ask({ ...subscribe({ rangeFilters: tooMany }), requestId: 2 } as Message).next()).toMatchObject(
      refusal,
    );
  });

  it('is refused in a FETCH, SUBSCRIBE_TRACKS and a fill as well', async () => {
    const handlers = { subscribe() {}, fetch() {}, subscribeTracks() {} };
    const { ask } = await rawClient(handlers, draft20);
    const start = { group: 0, object: 0 };
    const range = { kind: 'standalone', track, start, end: start } as const;
    const parameters = { rangeFilters: tooMany };
    const asked: Message[] = [
      { type: 'fetch', requestId: 0, range, parameters },
      { type: 'subscribeTracks', requestId: 2, prefix: ['a'], parameters },
      { type: 'subscribe', requestId: 4, track, parameters: { fill: parameters } },
    ];
    for (const message of asked) expect(await ask(message).next()).toMatchObject(refusal);
  });

  it('changes them one kind at a time, and none stay that it removes', async () => {
    const terms: (RangeFilters | undefined)[] = [];
    const { ask } = await rawClient({
      subscribe(request) {
        terms.push(request.terms.rangeFilters);
        request.accept({ alias: 1 }).onUpdate(({ rangeFilters }) => {
          terms.push(rangeFilters);
          return {};
        });
      },
    });
    const asking = ask(subscribe({ rangeFilters: { object: one(0n, 3n), priority: one(9n) } }));
    await asking.next();
    const updates: RangeFilters[] = [
      { object: one(5n), subgroup: one(1n, 1n) },
      { priority: [] },
      { object: [], subgroup: [] },
    ];
    for (const [index, rangeFilters] of updates.entries()) {
      asking.say({ type: 'requestUpdate', requestId: 2 + 2 * index, parameters: { rangeFilters } });
      expect(await asking.next()).toMatchObject({ type: 'requestOk' });
    }
    expect(terms).toEqual([
      { object: one(0n, 3n), priority: one(9n) },
      { object: one(5n), subgroup: one(1n, 1n), priority: one(9n) },
      { object: one(5n), subgroup: one(1n, 1n) },
      undefined,
    ]);
  });

  it.each<{ name: string; rangeFilters: RangeFilters }>([
    { name: 'together with what is there is too much', rangeFilters: { priority: one(1n) } },
    { name: 'is about tracks', rangeFilters: { trackProperty: property(0x0e, 1n, 1n) } },
  ])('loses its subscription by an update that $name', async ({ rangeFilters }) => {
    const { ask } = await rawClient({ subscribe: (request) => void request.accept({ alias: 1 }).onUpdate(() => ({})) });
    const ranges = tooMany.object![0]!.ranges.slice(0, 64);
    const asking = ask(subscribe({ rangeFilters: { object: [{ set: 0, ranges }] } }));
    expect(await asking.next()).toMatchObject({ type: 'subscribeOk' });
    asking.say(update({ rangeFilters }));
    expect(await asking.next()).toMatchObject(refusal);
    expect(await asking.next()).toMatchObject({ type: 'publishDone', status: publishDoneCodes.updateFailed });
  });

  it('is refused before its subscription is answered, too', async () => {
    const requests: IncomingSubscribe[] = [];
    const { ask } = await rawClient({ subscribe: (request) => void requests.push(request) });
    const asking = ask(subscribe({}));
    asking.say(update({ rangeFilters: tooMany }));
    expect(await asking.next()).toMatchObject(refusal);
    await requests[0]!.cancelled;
  });

  it('takes a track that is offered with filters of its own, if they are good ones', async () => {
    const offering = async (rangeFilters: RangeFilters) => {
      const { session, client } = await rawClient({});
      const publishing = session.publish(track, { alias: 1, rangeFilters: { object: one(0n, 0n) } });
      const { send } = (await client.acceptBidi())!;
      send.write(
        draft19.encodeMessage({ type: 'requestOk', parameters: { rangeFilters }, trackProperties: emptyBytes }),
      );
      return publishing;
    };
    const { terms } = await offering({ priority: one(9n) });
    expect(terms.rangeFilters).toEqual({ object: one(0n, 0n), priority: one(9n) });
    await expect(offering(tooMany)).rejects.toMatchObject({ requestCode: invalidFilter });
  });

  it('keeps the filters of a fetch as they are', async () => {
    const fetches: IncomingFetch[] = [];
    const { ask } = await rawClient({ fetch: (request) => void fetches.push(request) });
    const end = { group: 1, object: 0 };
    const range = { kind: 'standalone', track, start: { group: 0, object: 0 }, end } as const;
    const asking = ask({ type: 'fetch', requestId: 0, range, parameters: { rangeFilters: { object: one(0n, 0n) } } });
    asking.say(update({ rangeFilters: { object: [] } }));
    expect(await asking.next()).toMatchObject(refusal);
    expect(fetches[0]!.rangeFilters).toEqual({ object: one(0n, 0n) });
    await fetches[0]!.cancelled;
  });

  it('gives a fill those of the subscription, except where it says others', async () => {
    const fetches: IncomingFetch[] = [];
    const { ask } = await rawClient(
      {
        subscribe: (request) => void request.accept({ alias: 1, largest: { group: 4, object: 2 } }),
        fetch: (request) => void fetches.push(request),
      },
      draft20,
    );
    const rangeFilters = { object: one(0n, 3n), priority: one(9n) };
    await ask(subscribe({ rangeFilters, subscriberPriority: 7, fill: { rangeFilters: { priority: [] } } })).next();
    await expect.poll(() => fetches.length).toBe(1);
    expect(fetches[0]).toMatchObject({ rangeFilters: { object: one(0n, 3n) }, priority: 7 });
    expect(fetches[0]!.rangeFilters).not.toHaveProperty('priority');
  });

  it('changes which tracks it is offered', async () => {
    const requests: IncomingPrefix[] = [];
    const retargeted: unknown[] = [];
    const { ask } = await rawClient({
      subscribeTracks(request) {
        requests.push(request);
        request.accept({ retargeted: () => void retargeted.push(request.rangeFilters) });
      },
    });
    const rangeFilters = { trackProperty: property(0x0e, 1n, 1n) };
    const asking = ask({ type: 'subscribeTracks', requestId: 0, prefix: ['a'], parameters: { rangeFilters } });
    await asking.next();
    expect(requests[0]!.rangeFilters).toEqual(rangeFilters);
    asking.say(update({ rangeFilters: { trackProperty: [] } }));
    expect(await asking.next()).toMatchObject({ type: 'requestOk' });
    expect(retargeted).toEqual([undefined]);
  });
});

describe('we ourselves', () => {
  const rangeFilters = { object: one(0n, 0n) };
  it.each([
    { name: 'a peer of draft-18', protocol: 'moqt-18', filters: rangeFilters },
    { name: 'a peer that takes fewer', protocol: 'moqt-19', filters: tooMany },
  ])('do not send what $name would refuse', async ({ protocol, filters }) => {
    const both = pair({ protocol });
    const handlers = { subscribe: (request: IncomingSubscribe) => void request.accept({ alias: 1 }) };
    const [client] = await Promise.all([
      establish(both.client, { role: 'client' }),
      establish(both.server, { role: 'server', handlers }),
    ]);
    const unsupported = { code: 'UNSUPPORTED' };
    const start = { group: 0, object: 0 };
    await expect(client.subscribe(track, { rangeFilters: filters })).rejects.toMatchObject(unsupported);
    await expect(client.fetch({ track, start, end: start }, { rangeFilters: filters })).rejects.toMatchObject(
      unsupported,
    );
    await expect(client.subscribeTracks([], { rangeFilters: filters })).rejects.toMatchObject(unsupported);
    const subscription = await client.subscribe(track);
    await expect(subscription.update({ rangeFilters: filters })).rejects.toMatchObject(unsupported);
  });

  it.each(['moq-00', 'moqt-16', 'moqt-18', 'moqt-19'])('do not end within a group in %s', async (protocol) => {
    const both = pair({ protocol });
    const [client] = await Promise.all([
      establish(both.client, { role: 'client' }),
      establish(both.server, { role: 'server', handlers: { subscribe() {} } }),
    ]);
    const filter = { type: 'absoluteRange', start: { group: 0, object: 0 }, endGroup: 1, endObject: 1 } as const;
    await expect(client.subscribe(track, { filter })).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });
});

describe('an object passes', () => {
  const gap = (value: number) => Uint8Array.of(0x3c, value);
  const immutable = Uint8Array.of(0x0b, 2, 0x3c, 5);
  const object = (objectId: number, properties?: Uint8Array) => ({ objectId, properties });
  const rows: [string, RangeFilters, [number | undefined, number, ReturnType<typeof object>][], boolean[]][] = [
    [
      'by its subgroup',
      { subgroup: one(1n, 2n) },
      [
        [0, 1, object(0)],
        [2, 1, object(0)],
        [undefined, 1, object(0)],
      ],
      [false, true, false],
    ],
    [
      'by its id',
      { object: one(3n) },
      [
        [0, 1, object(2)],
        [0, 1, object(3)],
      ],
      [false, true],
    ],
    [
      'by its priority',
      { priority: one(0n, 9n) },
      [
        [0, 9, object(0)],
        [0, 10, object(0)],
      ],
      [true, false],
    ],
    [
      'in one of the ranges',
      { object: [{ set: 0, ranges: [from(0n, 1n), from(5n, 5n)] }] },
      [
        [0, 1, object(1)],
        [0, 1, object(3)],
        [0, 1, object(5)],
      ],
      [true, false, true],
    ],
    [
      'by a property',
      { objectProperty: property(0x3c, 4n, 6n) },
      [
        [0, 1, object(0)],
        [0, 1, object(0, gap(5))],
        [0, 1, object(0, gap(7))],
        [0, 1, object(0, immutable)],
        [0, 1, object(0, Uint8Array.of(0x3c))],
      ],
      [false, true, false, true, false],
    ],
    [
      'by all of one set',
      { object: one(0n, 0n), priority: one(0n, 9n) },
      [
        [0, 9, object(0)],
        [0, 9, object(1)],
        [0, 10, object(0)],
      ],
      [true, false, false],
    ],
    [
      'by any set',
      { object: one(0n, 0n), priority: one(0n, 9n, 1) },
      [
        [0, 99, object(0)],
        [0, 9, object(1)],
        [0, 99, object(1)],
      ],
      [true, true, false],
    ],
    [
      'by two properties',
      { objectProperty: [...property(0x3c, 0n, 9n), ...property(0x3e, 1n, 1n)] },
      [
        [0, 1, object(0, gap(5))],
        [0, 1, object(0, Uint8Array.of(0x3c, 5, 2, 1))],
      ],
      [false, true],
    ],
    ['never, without a range', { object: [{ set: 0, ranges: [] }] }, [[0, 1, object(0)]], [false]],
    [
      'by a property of 64 bits',
      { objectProperty: property(0x3c, 2n ** 64n - 1n, 2n ** 64n - 1n) },
      [
        [0, 1, object(0, Uint8Array.of(0x3c, ...Array(9).fill(0xff)))],
        [0, 1, object(0, Uint8Array.of(0x3c, ...Array(8).fill(0xff), 0xfe))],
      ],
      [true, false],
    ],
  ];
  it.each(rows)('%s', (_, filters, objects, expected) => {
    const filter = ObjectFilter.of(filters)!;
    expect(objects.map((each) => filter.passes(...each))).toEqual(expected);
  });
});

describe('of the filters of SUBSCRIBE_TRACKS', () => {
  const priority = (value: number) => concat([Uint8Array.of(0x0e, value)]);
  const filters: RangeFilters = {
    trackProperty: [...property(0x0e, 1n, 1n), ...property(0x0e, 2n, 2n, 1)],
    object: one(0n, 0n),
  };
  it.each([
    { name: 'the sets that the track passes are left', of: priority(1), left: { object: one(0n, 0n) } },
    { name: 'a set of nothing else leaves all objects', of: priority(2), left: undefined },
    { name: 'none may be left', of: priority(3), left: false },
    { name: 'none is left where there is no property', of: emptyBytes, left: false },
  ])('$name', ({ of, left }) => {
    expect(filtersWithin(filters, of)).toEqual(left);
  });
  it('those of objects are left where there are no others', () => {
    expect(filtersWithin({ object: one(0n, 0n) }, emptyBytes)).toEqual({ object: one(0n, 0n) });
    expect(filtersWithin(undefined, emptyBytes)).toBeUndefined();
  });
});
