import type { ExpressionBuilder } from 'kysely';
import type { Logger } from '../core/log.ts';
import type { Db, Tables } from './store/schema.ts';

/** An engine that was silent for longer holds no live input any more. */
export const heartbeatTimeoutMs = 6000;

/** Which inputs are live: what the engines say, for as long as they say it. */
export class Liveness {
  readonly #db: Db;
  readonly #now: () => number;
  readonly #logger: Logger;

  constructor(db: Db, now: () => number, logger: Logger) {
    this.#db = db;
    this.#now = now;
    this.#logger = logger;
  }

  /** The engine's whole truth: exactly `inputIds` are live on it. Ids that are not inputs are ignored. */
  async heartbeat(engineId: string, inputIds: readonly string[]): Promise<void> {
    const now = this.#now();
    await this.#db.transaction().execute(async (db) => {
      await db
        .insertInto('engines')
        .values({ id: engineId, last_heartbeat_at: now })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ last_heartbeat_at: now }))
        .execute();
      const held = await db
        .selectFrom('live_inputs')
        .select('id')
        .where('status', '=', 'live')
        .where('engine_id', '=', engineId)
        .execute();
      const heldIds = new Set(held.map((row) => row.id));
      const started = inputIds.filter((id) => !heldIds.has(id));
      const wanted = new Set(inputIds);
      const ended = [...heldIds].filter((id) => !wanted.has(id));
      if (started.length > 0)
        await db
          .updateTable('live_inputs')
          .set({ status: 'live', engine_id: engineId, status_changed_at: now, updated_at: now })
          .where('id', 'in', started)
          .execute();
      if (ended.length > 0)
        await db
          .updateTable('live_inputs')
          .set({ status: 'idle', engine_id: null, status_changed_at: now, updated_at: now })
          .where('id', 'in', ended)
          .execute();
      for (const inputId of started) this.#logger.info('input is live', { inputId, engineId });
      for (const inputId of ended) this.#logger.info('input is idle', { inputId, engineId });
    });
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
    const ended = await db
      .updateTable('live_inputs')
      .set({ status: 'idle', engine_id: null, status_changed_at: now, updated_at: now })
      .where(silent)
      .returning('id')
      .execute();
    for (const { id } of ended) this.#logger.warn('input is idle: its engine went silent', { inputId: id });
  }
}
