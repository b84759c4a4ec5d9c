import { describe, expect, it } from 'vitest';
import { transportPriorities } from '../../src/core/send-order.ts';
import { RequestIds } from '../../src/session/moqt/request-ids.ts';
import type { SessionState } from '../../src/session/state.ts';
import { advance } from '../../src/session/state.ts';
import type { ObjectPriority } from '../../src/session/stream-priority.ts';
import { streamPriority } from '../../src/session/stream-priority.ts';

const invalid = expect.objectContaining({ sessionCode: 0x4 });

describe('request ids', () => {
  it('are even for clients, odd for servers, and not lost to a failed request', () => {
    const client = new RequestIds('client');
    const server = new RequestIds('server');
    const id = (ids: RequestIds) => ids.use((value) => value);
    expect([id(client), id(client), id(server), id(server)]).toEqual([0, 2, 1, 3]);
    expect(() =>
      client.use(() => {
        throw new RangeError();
      }),
    ).toThrow();
    expect(id(client)).toBe(4);
  });

  it('of the peer may overtake each other but come once, with the right parity', () => {
    const ids = new RequestIds('server');
    for (const id of [0, 4, 2, 8]) ids.receive(id);
    for (const id of [0, 2, 4, 8, 1]) expect(() => ids.receive(id)).toThrow(invalid);
    ids.receive(6);
    expect(() => ids.receive(6)).toThrow(invalid);
  });

  it('are remembered in bounded memory when some never come', () => {
    const ids = new RequestIds('server');
    for (let id = 2; id < 2000; id += 2) ids.receive(id);
    for (const id of [2, 1998]) expect(() => ids.receive(id)).toThrow(invalid);
    ids.receive(2000);
  });
});

describe('stream priority', () => {
  const base: ObjectPriority = {
    subscriberPriority: 128,
    publisherPriority: 128,
    groupOrder: 'ascending',
    groupId: 10,
    subgroupId: 1,
  };
  const of = (more: Partial<ObjectPriority>) => streamPriority({ ...base, ...more });

  it('puts subscriber before publisher before group before subgroup', () => {
    const inOrder = [
      of({ subscriberPriority: 0, publisherPriority: 255, groupId: 4095, subgroupId: 9 }),
      of({ publisherPriority: 0, groupId: 4095, subgroupId: 9 }),
      of({ groupId: 9, subgroupId: 9 }),
      of({ subgroupId: 0 }),
      of({}),
      of({ groupId: 11, subgroupId: 0 }),
      of({ publisherPriority: 129, groupId: 0, subgroupId: 0 }),
      of({ subscriberPriority: 129, publisherPriority: 0, groupId: 0, subgroupId: 0 }),
    ];
    expect([...inOrder].sort((a, b) => b - a)).toEqual(inOrder);
    expect(new Set(inOrder).size).toBe(inOrder.length);
  });

  it('puts newer groups first when asked', () => {
    expect(of({ groupOrder: 'descending', groupId: 11 })).toBeGreaterThan(of({ groupOrder: 'descending' }));
  });

  it('stays below control and request streams, and in 31 bits', () => {
    const most = of({ subscriberPriority: 0, publisherPriority: 0, groupId: 0, subgroupId: 0 });
    const least = of({ subscriberPriority: 255, publisherPriority: 255, groupId: 4095, subgroupId: 99 });
    expect(most).toBe(transportPriorities.topObject);
    expect(least).toBe(0);
  });
});

describe('session state', () => {
  const peer = { path: '', authority: '', implementation: '', tokens: [] };
  const close = { by: 'local', code: 0, reason: '' } as const;

  it('goes from connecting to leaving', () => {
    let state: SessionState = { name: 'connecting' };
    state = advance(state, { type: 'setup', peer });
    expect(state.name).toBe('authorising');
    state = advance(state, { type: 'authorised' });
    expect(state).toEqual({ name: 'open', peer });
    state = advance(state, { type: 'goaway', uri: 'u', timeoutMs: 1 });
    expect(state).toEqual({ name: 'leaving', peer, uri: 'u', timeoutMs: 1 });
    expect(() => advance(state, { type: 'goaway', uri: '', timeoutMs: 0 })).toThrow('GOAWAY while leaving');
    expect(() => advance(state, { type: 'setup', peer })).toThrow('a second SETUP');
  });

  it('stays closed', () => {
    const closed = advance({ name: 'open', peer }, { type: 'closed', close });
    expect(advance(closed, { type: 'setup', peer })).toBe(closed);
    expect(closed).toEqual({ name: 'closed', close });
  });
});
