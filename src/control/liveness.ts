import type { ExpressionBuilder } from 'kysely';
import type { Logger } from '../core/log.ts';
import { recordEvent } from './store/events.ts';
import type { Db, LiveInputRow, Tables } from './store/schema.ts';

/** An engine that was silent for longer holds no input any more. */
export const heartbeatTimeoutMs = 6000;

/** What an engine says of itself: exactly these inputs are live on it, and these have failed since the last beat. */
export type Heartbeat = {
  engineId: string;
  /** `stats` is kept as it comes. `took`: a publisher came to this engine since the last beat, so the input is this engine's now. */
  live: readonly { inputId: string; stats?: Record<string, unknown> | undefined; took?: boolean | undefined }[];
  errored: readonly { inputId: string; reason: string }[];
};

/** What an engine hears: `stop` must not be live, `moved` is another engine's, `record` is to be recorded while it is live. */
export type HeartbeatAnswer = { stop: string[]; moved: string[]; record: string[] };

/** Which inputs are live, and on which engine: what the engines say, for as long as they say it. At most one holds an input. */
export class Liveness {
  readonly #db: Db;
  readonly #now: () => number;
  readonly #logger: Logger;

  constructor(db: Db, now: () => number, logger: Logger) {
    this.#db = db;
    this.#now = now;
    this.#logger = logger;
  }

  /**
   * Takes the engine's word. Answers the inputs it must stop: those that are disabled, deleted or never were; those that another engine
   * holds; and, of those that are live, which are to be recorded.
   */
  async heartbeat({ engineId, live, errored }: Heartbeat): Promise<HeartbeatAnswer> {
    const now = this.#now();
    const took = new Set(live.flatMap((input) => (input.took === true ? [input.inputId] : [])));
    const statsOf = new Map(live.map(({ inputId, stats }) => [inputId, stats]));
    const reasonOf = new Map(errored.map(({ inputId, reason }) => [inputId, reason]));
    return this.#db.transaction().execute(async (db) => {
      await db
        .insertInto('engines')
        .values({ id: engineId, last_heartbeat_at: now })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ last_heartbeat_at: now }))
        .execute();
      const named = [...new Set([...statsOf.keys(), ...reasonOf.keys()])];
      const known = await db
        .selectFrom('live_inputs')
        .select([
          'id',
          'org_id',
          'name',
          'external_input_id',
          'status',
          'engine_id',
          'claimed_until',
          'disabled_at',
          'record',
        ])
        .where((eb) =>
          eb.or([
            eb.and([eb('status', '=', 'live'), eb('engine_id', '=', engineId)]),
            ...(named.length > 0 ? [eb('id', 'in', named)] : []),
          ]),
        )
        .execute();
      const stop = new Set(statsOf.keys());
      const moved: string[] = [];
      for (const row of known) {
        if (row.disabled_at === null) stop.delete(row.id);
        const reason = reasonOf.get(row.id);
        if (statsOf.has(row.id)) {
          const stats = statsOf.get(row.id);
          const begins = row.status !== 'live' || row.engine_id !== engineId;
          const held = row.engine_id !== null && row.engine_id !== engineId && (row.claimed_until ?? 0) >= now;
          if (held && !took.has(row.id)) {
            if (!stop.has(row.id)) moved.push(row.id);
            continue;
          }
          await db
            .updateTable('live_inputs')
            .set({
              ...(begins && { status: 'live', engine_id: engineId, status_changed_at: now, updated_at: now }),
              claimed_until: now + heartbeatTimeoutMs,
              error_reason: null,
              ingest_stats: stats === undefined ? null : JSON.stringify(stats),
              ingest_stats_at: stats === undefined ? null : now,
            })
            .where('id', '=', row.id)
            .execute();
          if (row.status !== 'live') await recordEvent(db, { ...about(row), type: 'input.live', now });
          if (begins) this.#logger.info('input is live', { inputId: row.id, engineId });
        } else if (row.status === 'live' && row.engine_id === engineId) {
          await this.#end(db, row, now, reason);
          this.#logger.info(`input is ${reason === undefined ? 'idle' : 'errored'}`, { inputId: row.id, engineId });
        } else if (reason !== undefined && row.status === 'idle') {
          await this.#end(db, row, now, reason);
          this.#logger.info('input is errored', { inputId: row.id, engineId });
        }
      }
      const record = known.filter(({ id, record }) => record === 1 && statsOf.has(id) && !stop.has(id));
      return { stop: [...stop], moved, record: record.map(({ id }) => id) };
    });
  }

  /**
   * Gives an input to the engine before it goes on air there, for the time of a heartbeat, unless another engine holds it: false. One
   * statement decides, so that of two engines that ask at once one gets it.
   */
  async claim({ engineId, inputId }: { engineId: string; inputId: string }): Promise<boolean> {
    await this.sweep();
    const now = this.#now();
    const claimed = await this.#db
      .updateTable('live_inputs')
      .set({ engine_id: engineId, claimed_until: now + heartbeatTimeoutMs })
      .where('id', '=', inputId)
      .where('disabled_at', 'is', null)
      .where((eb) =>
        eb.or([
          eb('engine_id', 'is', null),
          eb('engine_id', '=', engineId),
          eb('claimed_until', 'is', null),
          eb('claimed_until', '<', now),
        ]),
      )
      .returning('id')
      .executeTakeFirst();
    return claimed !== undefined;
  }

  async #end(db: Db, row: Known, now: number, reason: string | undefined): Promise<void> {
    await db
      .updateTable('live_inputs')
      .set({
        status: reason === undefined ? 'idle' : 'errored',
        error_reason: reason ?? null,
        engine_id: null,
        claimed_until: null,
        status_changed_at: now,
        updated_at: now,
      })
      .where('id', '=', row.id)
      .execute();
    if (reason === undefined) await recordEvent(db, { ...about(row), type: 'input.idle', now });
    else await recordEvent(db, { ...about(row, { reason }), type: 'input.errored', now });
  }

  /** Marks the inputs of silent engines idle. Called before every read of a status, and by a timer. */
  async sweep(db: Db = this.#db): Promise<void> {
    const now = this.#now();
    const silent = (eb: ExpressionBuilder<Tables, 'live_inputs'>) =>
      eb.and([
        eb('status', '=', 'live'),
        eb.or([
          eb('engine_id', 'is', null),
          eb(
            'engine_id',
            'not in',
            eb
              .selectFrom('engines')
              .select('id')
              .where('last_heartbeat_at', '>=', now - heartbeatTimeoutMs),
          ),
        ]),
      ]);
    // Looking first keeps a read a read; the update asks again, since a heartbeat may have come in between.
    if (!(await db.selectFrom('live_inputs').select('id').where(silent).limit(1).executeTakeFirst())) return;
    const end = async (transaction: Db) => {
      const ended = await transaction
        .updateTable('live_inputs')
        .set({ status: 'idle', engine_id: null, claimed_until: null, status_changed_at: now, updated_at: now })
        .where(silent)
        .returning(['id', 'org_id', 'name', 'external_input_id'])
        .execute();
      for (const row of ended) await recordEvent(transaction, { ...about(row), type: 'input.idle', now });
      return ended;
    };
    const ended = db.isTransaction ? await end(db) : await db.transaction().execute(end);
    for (const { id } of ended) this.#logger.warn('input is idle: its engine went silent', { inputId: id });
  }
}

type Known = Pick<LiveInputRow, 'id' | 'org_id' | 'name' | 'external_input_id'>;

function about(row: Known, more: object = {}): { orgId: string; data: Record<string, unknown> } {
  return {
    orgId: row.org_id,
    data: { inputId: row.id, name: row.name, externalInputId: row.external_input_id, ...more },
  };
}
