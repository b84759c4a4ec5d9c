import { type ExpressionBuilder, sql } from 'kysely';
import { isId } from '../core/ids.ts';
import type { Logger } from '../core/log.ts';
import { Attention } from './attention.ts';
import { idList, textByKey } from './store/bulk.ts';
import { recordEvent } from './store/events.ts';
import type { Db, LiveInputRow, Tables } from './store/schema.ts';

/** An engine that was silent for longer holds no input any more. */
export const heartbeatTimeoutMs = 6000;

/** Engines beat every 2 s and wait 5 s for an answer: so long they have to be heard again after this process could not hear them. */
const graceMs = 7000;

/** Figures that do not change are written again after so long: they are as old as they say. */
const statsAgeMs = 10_000;

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
  readonly #attention: Attention;

  constructor(db: Db, now: () => number, logger: Logger) {
    this.#db = db;
    this.#now = now;
    this.#logger = logger;
    this.#attention = new Attention(now, graceMs);
  }

  close(): void {
    this.#attention.close();
  }

  /**
   * Takes the engine's word. Returns the inputs it must stop: those that are disabled, deleted or never were; those that another engine
   * holds; and, of those that are live, which are to be recorded. A beat without news is a few statements however many inputs it names,
   * and waits for no other writer: the holder of a live input has it for as long as its engine's row is fresh.
   */
  heartbeat(beat: Heartbeat): Promise<HeartbeatAnswer> {
    return this.#attention.keep(() => this.#heartbeat(beat));
  }

  async #heartbeat({ engineId, live, errored }: Heartbeat): Promise<HeartbeatAnswer> {
    const now = this.#now();
    const word: Word = {
      engineId,
      now,
      took: new Set(live.flatMap((input) => (input.took === true ? [input.inputId] : []))),
      stats: new Map(live.map(({ inputId, stats }) => [inputId, stats])),
      reasons: new Map(errored.map(({ inputId, reason }) => [inputId, reason])),
    };
    await this.#db
      .insertInto('engines')
      .values({ id: engineId, last_heartbeat_at: now })
      .onConflict((conflict) => conflict.column('id').doUpdateSet({ last_heartbeat_at: now }))
      .execute();
    let known = await this.#known(this.#db, word);
    let moved: string[] = [];
    if (known.some((row) => isNews(row, word))) {
      ({ known, moved } = await this.#db.transaction().execute(async (db) => {
        await this.sweep(db);
        const rows = await this.#known(db, word); // as they are under the lock
        return { known: rows, moved: await this.#takeNews(db, rows, word) };
      }));
    }
    await this.#storeStats(known, word);
    const stop = new Set(word.stats.keys());
    for (const row of known) if (row.disabled_at === null) stop.delete(row.id);
    const record = known.filter(({ id, record }) => record === 1 && word.stats.has(id) && !stop.has(id));
    return { stop: [...stop], moved: moved.filter((id) => !stop.has(id)), record: record.map(({ id }) => id) };
  }

  /** The inputs that the engine names, and those that it held until now. */
  #known(db: Db, { engineId, stats, reasons }: Word): Promise<Known[]> {
    const columns = [
      'id',
      'org_id',
      'name',
      'external_input_id',
      'status',
      'engine_id',
      'claimed_until',
      'disabled_at',
      'record',
    ] as const;
    const named = [...new Set([...stats.keys(), ...reasons.keys()])].filter((id) => isId('lv', id));
    const held = db
      .selectFrom('live_inputs')
      .select(columns)
      .where('status', '=', 'live')
      .where('engine_id', '=', engineId);
    if (named.length === 0) return held.execute();
    return held.union(db.selectFrom('live_inputs').select(columns).where('id', 'in', idList(db, named))).execute();
  }

  /** Writes what is new of these rows and tells of it. Returns those that another engine holds. */
  async #takeNews(db: Db, rows: readonly Known[], { engineId, now, took, stats, reasons }: Word): Promise<string[]> {
    const moved: string[] = [];
    for (const row of rows) {
      const reason = reasons.get(row.id);
      const mine = row.status === 'live' && row.engine_id === engineId;
      if (stats.has(row.id)) {
        if (mine) continue;
        const other = row.engine_id !== null && row.engine_id !== engineId;
        // Whose engine is silent was swept; a claim of an input that is not live ends by itself.
        const held = other && (row.status === 'live' || (row.claimed_until ?? 0) >= now);
        if (held && !took.has(row.id)) {
          moved.push(row.id);
          continue;
        }
        await db
          .updateTable('live_inputs')
          .set({
            status: 'live',
            engine_id: engineId,
            claimed_until: now + heartbeatTimeoutMs,
            status_changed_at: now,
            updated_at: now,
            error_reason: null,
            ingest_stats: null,
            ingest_stats_at: null,
          })
          .where('id', '=', row.id)
          .execute();
        if (row.status !== 'live') await recordEvent(db, { ...about(row), type: 'input.live', now });
        this.#logger.info('input is live', { inputId: row.id, engineId });
      } else if (mine) {
        await this.#end(db, row, now, reason);
        this.#logger.info(`input is ${reason === undefined ? 'idle' : 'errored'}`, { inputId: row.id, engineId });
      } else if (reason !== undefined && row.status === 'idle') {
        await this.#end(db, row, now, reason);
        this.#logger.info('input is errored', { inputId: row.id, engineId });
      }
    }
    return moved;
  }

  /** The figures of all inputs of a beat, in one statement that writes only rows of this engine whose figures changed. */
  async #storeStats(known: readonly Known[], { engineId, now, stats }: Word): Promise<void> {
    const told: Record<string, string | null> = {};
    for (const { id } of known) {
      if (!stats.has(id)) continue;
      const figures = stats.get(id);
      told[id] = figures === undefined ? null : JSON.stringify(figures);
    }
    if (Object.keys(told).length === 0) return;
    await sql`
      update live_inputs
      set ingest_stats = said.value, ingest_stats_at = case when said.value is null then null else ${sql.lit(now)} end
      from ${textByKey(this.#db, told)} as said
      where live_inputs.id = said.key and live_inputs.status = 'live' and live_inputs.engine_id = ${engineId}
        and (live_inputs.ingest_stats is distinct from said.value or live_inputs.ingest_stats_at < ${now - statsAgeMs})
    `.execute(this.#db);
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
          eb('engine_id', '=', engineId),
          eb.and([
            eb('status', '!=', 'live'), // what is live after the sweep has an engine that is
            eb.or([eb('engine_id', 'is', null), eb('claimed_until', 'is', null), eb('claimed_until', '<', now)]),
          ]),
        ]),
      )
      .returning('id')
      .executeTakeFirst();
    return claimed !== undefined;
  }

  async #end(db: Db, row: About, now: number, reason: string | undefined): Promise<void> {
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

  /**
   * Marks the inputs of silent engines idle. Called before every read of a status, and by a timer. An engine that was last heard
   * before this process could hear everything (its start, a stall, a store that was away) is given the time to speak first.
   */
  async sweep(db: Db = this.#db): Promise<void> {
    try {
      await this.#sweep(db);
    } catch (error) {
      this.#attention.lost();
      throw error;
    }
  }

  async #sweep(db: Db): Promise<void> {
    const now = this.#now();
    const deafBefore = this.#attention.deafBefore();
    const silent = (eb: ExpressionBuilder<Tables, 'engines'>) =>
      eb.and([
        eb('last_heartbeat_at', '<', now - heartbeatTimeoutMs),
        ...(deafBefore === undefined ? [] : [eb('last_heartbeat_at', '>=', deafBefore)]),
      ]);
    // Looking first keeps a read a read; the update asks again, since a heartbeat may have come in between.
    const found = await db
      .selectFrom('engines')
      .select('id')
      .where(silent)
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom('live_inputs')
            .select('live_inputs.id')
            .where('status', '=', 'live')
            .whereRef('engine_id', '=', 'engines.id'),
        ),
      )
      .limit(1)
      .executeTakeFirst();
    if (found === undefined) return;
    const end = async (transaction: Db) => {
      const ended = await transaction
        .updateTable('live_inputs')
        .set({ status: 'idle', engine_id: null, claimed_until: null, status_changed_at: now, updated_at: now })
        .where('status', '=', 'live')
        .where('engine_id', 'in', (eb) => eb.selectFrom('engines').select('id').where(silent))
        .returning(['id', 'org_id', 'name', 'external_input_id'])
        .execute();
      for (const row of ended) await recordEvent(transaction, { ...about(row), type: 'input.idle', now });
      return ended;
    };
    const ended = db.isTransaction ? await end(db) : await db.transaction().execute(end);
    for (const { id } of ended) this.#logger.warn('input is idle: its engine went silent', { inputId: id });
  }
}

/** A heartbeat, by input. */
type Word = {
  engineId: string;
  now: number;
  took: ReadonlySet<string>;
  stats: ReadonlyMap<string, Record<string, unknown> | undefined>;
  reasons: ReadonlyMap<string, string>;
};

type About = Pick<LiveInputRow, 'id' | 'org_id' | 'name' | 'external_input_id'>;
type Known = About & Pick<LiveInputRow, 'status' | 'engine_id' | 'claimed_until' | 'disabled_at' | 'record'>;

/** Whether the engine says another thing than the row: it began, ended, failed, or is another engine's. */
function isNews(row: Known, { engineId, stats, reasons }: Word): boolean {
  const mine = row.status === 'live' && row.engine_id === engineId;
  return stats.has(row.id) ? !mine : mine || (reasons.has(row.id) && row.status === 'idle');
}

function about(row: About, more: object = {}): { orgId: string; data: Record<string, unknown> } {
  return {
    orgId: row.org_id,
    data: { inputId: row.id, name: row.name, externalInputId: row.external_input_id, ...more },
  };
}
