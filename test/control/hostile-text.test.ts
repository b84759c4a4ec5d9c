import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanText } from '../../src/control/store/clean-text.ts';
import { storeApart } from '../../src/control/store/store-apart.ts';
import { serviceToken, startTestControl, type TestControl } from './helpers.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

const nul = 'a\0b';
const lone = 'c\ud800d';

it('cleans what no store holds, and nothing else', () => {
  expect(cleanText(nul)).toBe('a\ufffdb');
  expect(cleanText(lone)).toBe('c\ufffdd');
  for (const fine of ['', 'plain', 'Ä 𝄞 😀', '\u0001\n', '\ufffd']) expect(cleanText(fine)).toBe(fine);
});

describe('rows that are stored apart', () => {
  const bad = Object.assign(new Error('out of range'), { code: '22003' });
  it.each([1, 2, 7, 100])('loses of %i only those that cannot be stored', async (count) => {
    const rows = Array.from({ length: count }, (_, i) => i);
    const kept: number[] = [];
    const result = await storeApart(rows, async (some) => {
      if (some.some((row) => row % 7 === 3)) throw bad;
      kept.push(...some);
      return some.length;
    });
    expect(kept).toEqual(rows.filter((row) => row % 7 !== 3));
    expect(result.stored).toBe(kept.length);
    expect(result.refused.map(({ row }) => row)).toEqual(rows.filter((row) => row % 7 === 3));
  });

  it('gives up at once where no row is at fault', async () => {
    let calls = 0;
    const away = Object.assign(new Error('gone'), { code: 'ECONNRESET' });
    const storing = storeApart([1, 2, 3], async () => {
      calls++;
      throw away;
    });
    await expect(storing).rejects.toBe(away);
    expect(calls).toBe(1);
  });
});

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.[Symbol.asyncDispose]());

describe.each(['sqlite', 'postgres'])('text that a store does not take, on %s', (store) => {
  let test: TestControl;
  beforeAll(async () => {
    test = await startTestControl(store === 'postgres' ? { databaseUrl: await server.newDatabase() } : {});
  });
  afterAll(() => test?.[Symbol.asyncDispose]());
  const internal = (path: string, body: unknown) => test.call('POST', path, { key: serviceToken, body });
  const input = async () =>
    (await test.call('POST', '/v1/live-inputs', { body: { name: 'a', ingest: 'fmp4' } })).body.id;
  const stateOf = async (id: string) => (await test.call('GET', `/v1/live-inputs/${id}/status`)).body;

  it('of one input leaves the others of its engine live', async () => {
    const [errored, live, talkative, odd] = await Promise.all([input(), input(), input(), input()]);
    const beat = {
      engineId: 'e1',
      live: [
        { inputId: live, stats: { codec: nul, [lone]: lone } },
        { inputId: talkative, stats: { text: 'x'.repeat(5000) } },
        { inputId: odd, stats: 7, took: 'yes' },
        { inputId: 'x'.repeat(100) },
        null,
      ],
      errored: [
        { inputId: errored, reason: `codec ${nul}${lone} is not supported` },
        { inputId: 'lv_other', reason: 'y'.repeat(10_000) },
        {},
      ],
    };
    expect((await internal('/internal/engine/heartbeat', beat)).status).toBe(200);
    expect(await stateOf(errored)).toMatchObject({ status: 'errored' });
    expect(JSON.stringify(await stateOf(errored))).toContain('codec a\ufffdbc\ufffdd is not supported');
    for (const id of [live, talkative, odd]) expect(await stateOf(id)).toMatchObject({ status: 'live' });
    // What is not wanted is still heard of.
    await test.call('POST', `/v1/live-inputs/${live}/disable`);
    expect((await internal('/internal/engine/heartbeat', beat)).body.stop).toContain(live);
  });

  it('of a session costs the relay none of its reports', async () => {
    const now = test.clock.now;
    const orgId = (await test.call('GET', '/v1/whoami')).body.org?.id ?? 'org_local';
    const row = (id: string, more: object = {}) => ({
      id,
      org: orgId,
      inputId: 'lv_x',
      viewer: 'v',
      startedAt: now - 1000,
      endedAt: now,
      updatedAt: now,
      ...more,
    });
    const sent = await internal('/internal/analytics', {
      node: nul,
      broadcasts: [row('b1', { reason: nul }), row('b 2'), row('b3', { reason: 'z'.repeat(999) })],
      viewers: [
        row('v1', { reason: lone, viewer: nul, transport: nul, version: lone }),
        row('v2', { startupMs: 2 ** 40 }),
        row('v3', { bytes: -1 }),
        row('v4'),
        7,
      ],
    });
    expect([sent.status, sent.body]).toEqual([200, { ok: true, refused: 3 }]);
    const sessions = (await test.call('GET', '/v1/analytics/viewer-sessions')).body.items;
    expect(sessions.map(({ id }: { id: string }) => id).sort()).toEqual(['v1', 'v2', 'v4']);
    expect(sessions.find(({ id }: { id: string }) => id === 'v1')).toMatchObject({
      viewerId: 'a\ufffdb',
      reason: 'c\ufffdd',
    });
  });

  it('of an event costs none of the batch', async () => {
    const line = (id: string, more: object = {}) =>
      JSON.stringify({ id, type: 'play', at: new Date(test.clock.now).toISOString(), data: {}, ...more });
    const { body: made } = await test.call('POST', '/v1/api-keys', { body: { name: 'i', scopes: ['ingest'] } });
    const lines = [
      line('e1', { viewerId: nul }),
      line('e2', { inputId: lone, data: { agent: nul, [nul]: lone } }),
      line('e3'),
      line('e 4'),
    ];
    const response = await test.control.fetch(
      new Request(`${test.base}/v0/events`, {
        method: 'POST',
        headers: { authorization: `Bearer ${made.api_key_cleartext ?? made.key}` },
        body: lines.join('\n'),
      }),
    );
    expect(await response.json()).toMatchObject({ accepted: 3, duplicates: 0, rejected: [{ line: 4 }] });
  });

  it('is refused in words where a person names something, and finds nothing where one looks', async () => {
    for (const body of [{ name: nul }, { name: 'a', external_input_id: nul }])
      expect((await test.call('POST', '/v1/live-inputs', { body })).status).toBe(400);
    expect((await test.call('POST', '/v1/live-inputs', { body: { name: `d${lone}` } })).status).toBeLessThan(300);
    for (const path of ['/v1/live-inputs/%00', '/v1/live-inputs?cursor=%00', '/v1/audit-log?actor=%00'])
      expect((await test.call('GET', path)).status, path).toBeLessThan(500);
  });
});
