import { describe, expect, it } from 'vitest';
import { peaks } from '../../src/control/operations/analytics-concurrency.ts';
import { serviceToken, startTestControl, type TestControl } from './helpers.ts';

const send = (test: TestControl, body: object) =>
  test.call('POST', '/internal/analytics', { key: serviceToken, body: { node: 'relay-1', ...body } });
const viewer = (test: TestControl, id: string, change: object = {}) => ({
  id,
  org: 'org_local',
  inputId: 'lv_a',
  viewer: id,
  transport: 'webtransport',
  startedAt: test.clock.now,
  updatedAt: test.clock.now,
  ...change,
});
const get = async (test: TestControl, path: string) => (await test.call('GET', `/v1/analytics/${path}`)).body;

describe('sessions that relays report', () => {
  it('are kept once, in their newest form, whatever the order and however often they come', async () => {
    await using test = await startTestControl();
    const first = viewer(test, 'v1', { bytes: 10 });
    const later = { ...first, updatedAt: first.updatedAt + 5000, bytes: 99, startupMs: 70, dropped: 3 };
    const last = { ...later, updatedAt: first.updatedAt + 9000, endedAt: first.updatedAt + 9000, reason: 'finished' };
    for (const viewers of [[first, later], [last], [later], [first], [last]])
      expect((await send(test, { viewers })).status).toBe(200);
    const { items } = await get(test, 'viewer-sessions');
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ id: 'v1', bytes: 99, seconds: 9, startupMs: 70, dropped: 3, reason: 'finished' });
    for (const bad of [{ id: "x' --" }, { bytes: -1 }])
      expect((await send(test, { viewers: [{ ...last, ...bad }] })).body).toEqual({ ok: true, refused: 1 });
  });

  it('of one org cannot be changed by a row of another', async () => {
    await using test = await startTestControl();
    await send(test, { viewers: [viewer(test, 'v1', { bytes: 1 })] });
    await send(test, { viewers: [viewer(test, 'v1', { org: 'org_other', bytes: 2, updatedAt: test.clock.now + 1 })] });
    expect((await get(test, 'viewer-sessions')).items[0].bytes).toBe(1);
  });

  it('come in batches of thousands', async () => {
    await using test = await startTestControl();
    const viewers = Array.from({ length: 3000 }, (_, i) => viewer(test, `v${i}`));
    expect((await send(test, { viewers })).status).toBe(200);
    expect((await get(test, 'viewers')).viewers).toBe(3000);
  });
});

describe('figures', () => {
  it('count who watches now; a relay that fell silent has no viewers', async () => {
    await using test = await startTestControl();
    await send(test, {
      viewers: [
        viewer(test, 'a'),
        viewer(test, 'b'),
        viewer(test, 'c', { inputId: 'lv_b' }),
        viewer(test, 'd', { endedAt: 1 }),
      ],
    });
    const items = [
      { inputId: 'lv_a', viewers: 2 },
      { inputId: 'lv_b', viewers: 1 },
    ];
    expect(await get(test, 'viewers')).toEqual({ viewers: 3, items });
    expect(await get(test, 'viewers?inputId=lv_b')).toEqual({ viewers: 1, items: [items[1]] });
    test.clock.now += 60_000;
    expect((await get(test, 'viewers')).viewers).toBe(0);
  });

  it('add up watch time, startup time and drops by input and by day', async () => {
    await using test = await startTestControl();
    const day = Date.UTC(2026, 10, 10);
    const at = (startedAt: number, seconds: number, change: object) =>
      viewer(test, `v${startedAt}${seconds}`, { startedAt, endedAt: startedAt + seconds * 1000, ...change });
    await send(test, {
      viewers: [
        at(day, 10, { viewer: 'x', startupMs: 100, dropped: 1, groupsDropped: 1, bytes: 1000 }),
        at(day + 1, 20, { viewer: 'x', startupMs: 200, dropped: 2, bytes: 1000 }),
        at(day + 86_400_000, 5, { viewer: 'y', inputId: 'as_b', bytes: 7 }),
      ],
    });
    const range = 'from=2026-11-10T00:00:00Z&to=2026-11-12T00:00:00Z';
    const a = {
      sessions: 2,
      viewers: 1,
      watchSeconds: 30,
      startupMs: 150,
      startupMsMax: 200,
      dropped: 3,
      groupsDropped: 1,
      bytes: 2000,
    };
    const b = {
      sessions: 1,
      viewers: 1,
      watchSeconds: 5,
      startupMs: null,
      startupMsMax: null,
      dropped: 0,
      groupsDropped: 0,
      bytes: 7,
    };
    expect((await get(test, `summary?${range}`)).items).toEqual([
      { inputId: 'lv_a', ...a },
      { inputId: 'as_b', ...b },
    ]);
    expect((await get(test, `summary?${range}&by=day`)).items).toEqual([
      { day: '2026-11-10', ...a },
      { day: '2026-11-11', ...b },
    ]);
    expect((await get(test, `summary?${range}&inputId=as_b`)).items).toEqual([{ inputId: 'as_b', ...b }]);
    expect((await get(test, 'summary?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z')).items).toEqual([]);
    const list = await get(test, `viewer-sessions?${range}&viewerId=x&limit=1`);
    expect(list.items).toHaveLength(1);
    const rest = await get(test, `viewer-sessions?${range}&viewerId=x&limit=1&cursor=${list.nextCursor}`);
    expect([...list.items, ...rest.items].map(({ seconds }: { seconds: number }) => seconds)).toEqual([20, 10]);
  });

  it('show the peak of viewers at once in every step', async () => {
    await using test = await startTestControl();
    const day = Date.UTC(2026, 10, 10);
    const span = (id: string, from: number, to: number) =>
      viewer(test, id, { startedAt: day + from * 60_000, endedAt: day + to * 60_000 });
    await send(test, { viewers: [span('a', 0, 90), span('b', 30, 40), span('c', 35, 50), span('d', 130, 140)] });
    const answer = await get(
      test,
      'concurrent-viewers?from=2026-11-10T00:00:00Z&to=2026-11-10T04:00:00Z&stepSeconds=3600',
    );
    expect(answer.items.map(({ viewers }: { viewers: number }) => viewers)).toEqual([3, 1, 1, 0]);
    expect(answer.peak).toBe(3);
    const tooFine = await test.call('GET', '/v1/analytics/concurrent-viewers?stepSeconds=1');
    expect(tooFine.body.error.code).toBe('INVALID_ARGUMENT');
  });

  it.each([
    [[], [0, 0]],
    [[{ from: 0, to: 20 }], [1, 1]],
    [[{ from: 0, to: 10 }], [1, 1]],
    [[{ from: -5, to: -1 }], [0, 0]],
    [[{ from: 25, to: 30 }], [0, 0]],
    [
      [
        { from: 3, to: 5 },
        { from: 5, to: 7 },
      ],
      [2, 0],
    ],
  ])('peaks of %j are %j', (spans, expected) => {
    expect(peaks(spans, 0, 20, 10)).toEqual(expected);
  });
});

describe('events of players', () => {
  const post = (test: TestControl, body: string, key = test.adminKey) =>
    test.control
      .fetch(
        new Request(`${test.base}/v0/events`, { method: 'POST', headers: { authorization: `Bearer ${key}` }, body }),
      )
      .then(async (response) => ({ status: response.status, body: await response.json() }));
  const line = (test: TestControl, id: string, change: object = {}) =>
    JSON.stringify({ id, type: 'stall', at: new Date(test.clock.now).toISOString(), ...change });

  it('come as NDJSON: each is kept once, and what is none is named', async () => {
    await using test = await startTestControl();
    const body = `${line(test, 'a')}\n\nnot json\r\n${line(test, 'b', { viewerId: 'x', data: { ms: 5 } })}\r\n${line(test, 'a')}\n{"id":"c"}`;
    expect(await post(test, body)).toEqual({
      status: 202,
      body: {
        accepted: 2,
        duplicates: 1,
        rejected: [
          { line: 3, message: 'not JSON' },
          { line: 6, message: expect.stringMatching(/^type: /) },
        ],
      },
    });
    expect((await post(test, line(test, 'b'))).body).toEqual({ accepted: 0, duplicates: 1, rejected: [] });
    expect((await get(test, 'events?viewerId=x')).items).toMatchObject([{ id: 'b', data: { ms: 5 } }]);
    expect((await get(test, 'events?type=start')).items).toEqual([]);
  });

  it('need the scope ingest, and are bounded', async () => {
    await using test = await startTestControl();
    const scoped = async (scope: string) =>
      (await test.call('POST', '/v1/api-keys', { body: { name: 'k', scopes: [scope] } })).body.api_key_cleartext;
    expect((await post(test, line(test, 'a'), await scoped('streams:admin'))).status).toBe(403);
    expect((await post(test, line(test, 'a'), await scoped('ingest'))).status).toBe(202);
    expect((await post(test, line(test, 'a'), 'nonsense')).status).toBe(401);
    expect((await post(test, '{}\n'.repeat(5001))).status).toBe(413);
    expect((await post(test, ' '.repeat(1_100_000))).status).toBe(413);
    const big = await post(test, line(test, 'big', { data: { note: 'x'.repeat(5000) } }));
    expect(big.body.rejected).toHaveLength(1);
  });
});
