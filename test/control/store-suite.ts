import type { Kysely } from 'kysely';
import { describe, expect, it } from 'vitest';
import { StoredRateLimit } from '../../src/control/auth/stored-rate-limit.ts';
import { forgetExpired } from '../../src/control/store/forget.ts';
import { type Migration, migrate, migrations } from '../../src/control/store/migrate.ts';
import { peaks } from '../../src/control/store/peaks.ts';
import type { Db, LiveInputRow } from '../../src/control/store/schema.ts';
import { isUniqueViolation } from '../../src/control/store/unique-violation.ts';
import { newId } from '../../src/core/ids.ts';

export type StoreBackend = AsyncDisposable & {
  /** Opens the same store again, as a restart does. */
  open(): Promise<Db>;
  /** The same store with whatever schema it has. */
  connect(): Promise<Db>;
};

/** What every SQL backend must do alike. */
export function describeStore(name: string, start: () => Promise<StoreBackend>): void {
  describe(`store ${name}`, () => {
    const orgId = newId('org');
    const input = (fields: Partial<LiveInputRow> = {}): LiveInputRow => ({
      id: newId('lv'),
      org_id: orgId,
      external_input_id: null,
      name: 'a',
      ingest: 'rtmp',
      status: 'idle',
      engine_id: null,
      claimed_until: null,
      status_changed_at: 1,
      created_at: 1,
      updated_at: 1,
      disabled_at: null,
      error_reason: null,
      ingest_stats: null,
      ingest_stats_at: null,
      record: 0,
      ladder: 'none',
      ...fields,
    });
    const opened = async (backend: StoreBackend): Promise<Db> => {
      const db = await backend.open();
      await db.insertInto('orgs').values({ id: orgId, name: 'o', created_at: 1 }).execute();
      return db;
    };

    it('keeps rows over a restart, applying each migration once', async () => {
      await using backend = await start();
      const db = await opened(backend);
      const row = input({ name: "Ä ' ; drop table live_inputs", created_at: 1_795_211_861_209 });
      await db.insertInto('live_inputs').values(row).execute();
      const recorded = await appliedSteps(db);
      await db.destroy();
      const again = await backend.open();
      expect(await again.selectFrom('live_inputs').selectAll().execute()).toEqual([row]);
      expect(await appliedSteps(again)).toEqual(recorded);
      expect(recorded.map((step) => step.number)).toEqual(migrations.map((step) => step.number));
      await again.destroy();
    });

    it.each(migrations.map(({ number }) => number))(
      'comes forward from schema %i, with what is in it',
      async (number) => {
        await using backend = await start();
        const old = await backend.connect();
        await migrate(
          old,
          migrations.filter((step) => step.number <= number),
        );
        await old.insertInto('orgs').values({ id: orgId, name: 'o', created_at: 1 }).execute();
        const { claimed_until, ...known } = input();
        const { disabled_at, error_reason, ingest_stats, ingest_stats_at, record, ladder, ...first } = known;
        await old
          .insertInto('live_inputs')
          .values(first as LiveInputRow)
          .execute();
        await old.destroy();
        const db = await backend.open();
        expect(await db.selectFrom('live_inputs').selectAll().execute()).toEqual([{ ...known, claimed_until }]);
        expect((await appliedSteps(db)).map((step) => step.number)).toEqual(migrations.map((step) => step.number));
        await db.destroy();
      },
    );

    it('applies a migration wholly or not at all, and goes on from there', async () => {
      await using backend = await start();
      const db = await backend.open();
      const step = (fails: boolean): Migration => ({
        number: 1001,
        name: 'late',
        async up(store) {
          await store.schema.createTable('late').addColumn('id', 'text').execute();
          if (fails) throw new Error('half way');
        },
      });
      await expect(migrate(db, [...migrations, step(true)])).rejects.toThrow('half way');
      const store = db as unknown as Kysely<{ late: { id: string } }>;
      await expect(store.selectFrom('late').selectAll().execute()).rejects.toThrow();
      await migrate(db, [...migrations, step(false)]);
      expect(await store.selectFrom('late').selectAll().execute()).toEqual([]);
      await db.destroy();
      await expect(backend.open()).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    });

    it('rolls back a transaction that fails', async () => {
      await using backend = await start();
      const db = await opened(backend);
      const failing = db.transaction().execute(async (transaction) => {
        await transaction.insertInto('live_inputs').values(input()).execute();
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await db.selectFrom('live_inputs').selectAll().execute()).toEqual([]);
      await db.destroy();
    });

    it('holds foreign keys and unique constraints', async () => {
      await using backend = await start();
      const db = await opened(backend);
      const insert = (row: LiveInputRow) => db.insertInto('live_inputs').values(row).execute();
      await expect(insert(input({ org_id: newId('org') }))).rejects.toThrow();
      await insert(input({ external_input_id: 'x' }));
      const twice = await insert(input({ external_input_id: 'x' })).catch((error: unknown) => error);
      expect(isUniqueViolation(twice)).toBe(true);
      const keyed = input();
      await insert(keyed);
      await insert(input()); // no external id is not equal to no external id
      await db
        .insertInto('stream_keys')
        .values({ hash: 'h', input_id: keyed.id, created_at: 1, revoked_at: null })
        .execute();
      await db.deleteFrom('live_inputs').where('id', '=', keyed.id).execute();
      expect(await db.selectFrom('stream_keys').selectAll().execute()).toEqual([]);
      await db.destroy();
    });

    it('serialises writers of two processes', async () => {
      await using backend = await start();
      const first = await opened(backend);
      const second = await backend.open();
      const row = input({ name: '0' });
      await first.insertInto('live_inputs').values(row).execute();
      const bump = (db: Db) =>
        db.transaction().execute(async (transaction) => {
          const { name } = await transaction.selectFrom('live_inputs').select('name').executeTakeFirstOrThrow();
          await transaction
            .updateTable('live_inputs')
            .set({ name: String(Number(name) + 1) })
            .execute();
        });
      for (let i = 0; i < 10; i++) {
        await bump(first);
        await bump(second);
      }
      expect((await first.selectFrom('live_inputs').select('name').executeTakeFirstOrThrow()).name).toBe('20');
      await first.destroy();
      await second.destroy();
    });

    it.each([
      [[], [0, 0]],
      [[[0, 20]], [1, 1]],
      [[[0, 10]], [1, 1]],
      [[[-5, -1]], [0, 0]],
      [[[-5, 0]], [1, 0]],
      [[[25, 30]], [0, 0]],
      [[[9, 4]], [0, 0]],
      [
        [
          [3, 5],
          [5, 7],
        ],
        [2, 0],
      ],
      [
        [
          [-9, 12],
          [11, 40],
          [2, 3],
          [2, 3],
        ],
        [3, 2],
      ],
    ])('counts sessions of %j at once as %j', async (spans, expected) => {
      await using backend = await start();
      const db = await opened(backend);
      const base = 1_795_211_861_000;
      const rows = [...spans, [0, 20, 'other']].map(([from, to, inputId = 'lv_a'], i) => ({
        id: `s${i}`,
        org_id: orgId,
        input_id: String(inputId),
        viewer: 'v',
        node: 'n',
        transport: 'quic',
        version: null,
        started_at: base + Number(from),
        ended_at: i % 2 === 0 ? base + Number(to) : null,
        updated_at: base + Number(to),
        startup_ms: null,
        bytes: 0,
        objects: 0,
        dropped: 0,
        groups_dropped: 0,
        reason: null,
      }));
      await db.insertInto('viewer_sessions').values(rows).execute();
      const window = { orgId, start: base, end: base + 20, step: 10 };
      expect(await peaks(db, { ...window, inputId: 'lv_a' })).toEqual(expected);
      expect(await peaks(db, window)).toEqual(expected.map((count) => count + 1));
      await db.destroy();
    });

    it('shares a rate limit between processes, to the last one', async () => {
      await using backend = await start();
      const [first, second] = [await opened(backend), await backend.open()];
      let now = 1000;
      const limits = [first, second].map(
        (db) => new StoredRateLimit(db, () => now, 'test', { capacity: 5, refillMs: 10 }),
      );
      const taken = await Promise.all(Array.from({ length: 12 }, (_, i) => limits[i % 2]!.take('a')));
      expect(taken.filter(Boolean)).toHaveLength(5);
      expect(await limits[0]!.take('b')).toBe(true);
      expect(await new StoredRateLimit(second, () => now, 'other', { capacity: 1, refillMs: 10 }).take('a')).toBe(true);
      now += 9;
      expect(await limits[1]!.take('a')).toBe(false);
      now += 1;
      expect([await limits[1]!.take('a'), await limits[0]!.take('a')]).toEqual([true, false]);
      await forgetExpired(first, now + 1000);
      expect(await first.selectFrom('rate_limits').selectAll().execute()).toEqual([]);
      await first.destroy();
      await second.destroy();
    });
  });
}

function appliedSteps(db: Db): Promise<{ number: number; applied_at: number }[]> {
  return (db as unknown as Kysely<{ schema_migrations: { number: number; applied_at: number } }>)
    .selectFrom('schema_migrations')
    .select(['number', 'applied_at'])
    .orderBy('number')
    .execute();
}
