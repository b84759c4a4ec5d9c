import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectPostgres } from '../../src/control/store/postgres.ts';
import { silentLogger } from '../../src/core/log.ts';
import { serviceToken, startTestControl, type TestControl } from './helpers.ts';
import { type PostgresServer, startPostgres } from './postgres-server.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server?.[Symbol.asyncDispose]());

/** Requests of every kind without a pause, until told to stop; counts the answers by status. */
function load(test: TestControl, inputId: string) {
  const statuses = new Map<number, number>();
  const odd: unknown[] = [];
  let running = true;
  const go = async (ask: () => ReturnType<TestControl['call']>) => {
    while (running) {
      const { status, headers, body } = await ask();
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      const expected = status < 300 || (status === 503 && headers.get('retry-after') === '1');
      if (!expected) odd.push([status, body]);
      if (status === 503) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const beat = { engineId: 'one', live: [{ inputId, stats: { fps: 25 } }] };
  const all = [
    () => test.call('POST', `/v1/live-inputs/${inputId}/rotate-stream-key`, { body: {} }),
    () => test.call('PATCH', `/v1/live-inputs/${inputId}`, { body: { name: 'b' } }),
    () => test.call('GET', '/v1/live-inputs'),
    () => test.call('GET', '/v1/analytics/summary'),
    () => test.call('GET', '/internal/revocations', { key: serviceToken }),
    () => test.call('POST', '/internal/engine/heartbeat', { key: serviceToken, body: beat }),
    () => test.call('GET', '/api/trpc/streams.liveInputs.list'),
    () => test.call('GET', '/.well-known/jwks.json', { key: null }),
  ].map(go);
  return {
    statuses,
    odd,
    async end() {
      running = false;
      await Promise.all(all);
    },
  };
}

describe('while Postgres is away', () => {
  it.each(['fast', 'immediate', 'hang'] as const)(
    'stopped (%s) under load: 503 and nothing worse, all live soon after its return',
    { timeout: 60_000 },
    async (mode) => {
      const got: string[] = [];
      const hook = createServer((request, response) => {
        got.push(String(request.headers['streams-delivery']));
        response.end();
      });
      await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
      await using test = await startTestControl({
        databaseUrl: await server.newDatabase(),
        allowPrivateWebhooks: true,
        storeTimeoutMs: 1000,
        now: Date.now,
      });
      const url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`;
      await test.call('POST', '/v1/webhooks', { body: { url } });
      const { body: input } = await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } });
      const traffic = load(test, input.id);
      try {
        await expect.poll(() => traffic.statuses.get(200) ?? 0, { timeout: 10_000 }).toBeGreaterThan(50);
        await server.stop(mode);
        const ready = () => test.call('GET', '/readyz', { key: null });
        await expect.poll(async () => (await ready()).status, { timeout: 10_000 }).toBe(503);
        expect((await ready()).headers.get('retry-after')).toBe('1');
        await expect.poll(() => traffic.statuses.get(503) ?? 0, { timeout: 10_000 }).toBeGreaterThan(8);
        expect((await test.call('GET', '/healthz', { key: null })).status).toBe(200);
        await server.start();
        const back = performance.now();
        await expect.poll(async () => (await ready()).status, { timeout: 5000, interval: 20 }).toBe(200);
        expect(performance.now() - back).toBeLessThan(2000);
        const before = [got.length, traffic.statuses.get(200)!] as const;
        await expect.poll(() => traffic.statuses.get(200)!, { timeout: 10_000 }).toBeGreaterThan(before[1] + 50);
        await expect.poll(() => got.length, { timeout: 10_000 }).toBeGreaterThan(before[0]);
      } finally {
        await server.start().catch(() => {});
        await traffic.end();
        hook.closeAllConnections();
        await new Promise((resolve) => hook.close(resolve));
      }
      expect(traffic.odd).toEqual([]);
      expect((await test.call('GET', `/v1/live-inputs/${input.id}`)).body.status).toBe('live');
      expect(test.log.lines.filter((line) => /went silent/.test(line))).toEqual([]);
    },
  );

  it('a transaction that is cut leaves nothing of itself, and its lock to others', { timeout: 30_000 }, async () => {
    const url = await server.newDatabase();
    await using db = {
      store: await connectPostgres(url, silentLogger),
      [Symbol.asyncDispose]: () => db.store.destroy(),
    };
    const { store } = db;
    await sql`create table t (id integer)`.execute(store);
    for (const mode of ['fast', 'immediate'] as const) {
      const cut = store.transaction().execute(async (transaction) => {
        await sql`insert into t values (1)`.execute(transaction);
        await server.stop(mode); // with the writers' lock held
        await server.start();
        await sql`insert into t values (2)`.execute(transaction);
      });
      await expect(cut).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await store.transaction().execute(async (transaction) => {
        expect((await sql`select id from t`.execute(transaction)).rows).toEqual([]);
      });
    }
  });

  it('a client that is held by nobody, or waits for an answer, costs no process', { timeout: 30_000 }, async () => {
    const store = await connectPostgres(await server.newDatabase(), silentLogger);
    await sql`select 1`.execute(store); // idle from now on
    const waiting = sql`select pg_sleep(60)`.execute(store).then(
      () => 'answered',
      (error: unknown) => error,
    );
    await expect
      .poll(
        async () =>
          (
            await sql`select 1 from pg_stat_activity where query like '%sleep(60)%' and pid <> pg_backend_pid()`.execute(
              store,
            )
          ).rows.length,
      )
      .toBe(1);
    await server.stop('immediate');
    expect(await waiting).toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await expect(sql`select 1`.execute(store)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await server.start();
    expect((await sql<{ n: number }>`select 1 as n`.execute(store)).rows).toEqual([{ n: 1 }]);
    await store.destroy();
  });
});
