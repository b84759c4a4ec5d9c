import { sql } from 'kysely';
import { toStreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Vault } from '../auth/vault.ts';
import { recordEvent } from '../store/events.ts';
import type { Db, DeliveryRow } from '../store/schema.ts';
import { type DueWebhook, fairShares, type Running } from './fair-shares.ts';
import { post, signature } from './send.ts';

/** Waits after the first, second, … failure; after the last of them the delivery has failed for good. */
export const retryDelaysMs = [5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000];
/** Longer than an attempt takes: a process that dies in one leaves it to be tried again. */
const claimMs = 30_000;
/** Each wait is up to so much of itself longer, so that what failed together does not come together. */
export const jitter = 0.2;
/** A webhook all of whose attempts failed for so long is switched off, if they were that many: one that hears little is not judged by one. */
export const switchOffMs = 3 * 86_400_000;
export const switchOffFailures = 20;

export type DispatcherOptions = {
  db: Db;
  vault: Vault;
  logger: Logger;
  now(): number;
  allowPrivate: boolean;
  /** How often to look for what is due. Default 500. */
  pollMs?: number;
  /** Of one attempt. Default 10 s. */
  attemptMs?: number | undefined;
};

/** Delivers what is due. Rows are claimed in the store, so any number of processes may run one on it. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #attempts = new Map<Promise<void>, Running>();
  #claiming: Promise<void> | undefined;
  #closed = false;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#kick(), options.pollMs ?? 500);
    this.#timer.unref();
  }

  /** Waits for attempts under way. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    await this.#claiming;
    await Promise.all(this.#attempts.keys());
  }

  #kick(): void {
    if (this.#claiming !== undefined || this.#closed) return;
    this.#claiming = this.#startAll()
      .catch((error) => this.#options.logger.error('webhooks stand still', { detail: toStreamsError(error).message }))
      .finally(() => {
        this.#claiming = undefined;
      });
  }

  /** Starts what is due, as far as there is room. */
  async #startAll(): Promise<void> {
    for (;;) {
      const claimed = await this.#claim();
      if (claimed.length === 0) return;
      for (const row of claimed) {
        const attempt = this.#deliver(row)
          .catch((error) =>
            this.#options.logger.error('webhook stands still', { detail: toStreamsError(error).message }),
          )
          .finally(() => {
            this.#attempts.delete(attempt);
            this.#kick();
          });
        this.#attempts.set(attempt, { webhookId: row.webhook_id, orgId: row.org_id });
      }
    }
  }

  async #claim(): Promise<Claimed[]> {
    const { db, now } = this.#options;
    if (this.#closed) return [];
    const time = now();
    const due = await dueWebhooks(db, time);
    const orgOf = new Map(due.map(({ webhookId, orgId }) => [webhookId, orgId]));
    const ids: string[] = [];
    for (const [webhookId, share] of fairShares(due, [...this.#attempts.values()])) {
      const rows = await db
        .selectFrom('webhook_deliveries')
        .select('id')
        .where('webhook_id', '=', webhookId)
        .where('status', '=', sql.lit('pending'))
        .where('next_attempt_at', '<=', time)
        .where('claimed_until', '<=', time)
        .orderBy('next_attempt_at')
        .limit(share)
        .execute();
      ids.push(...rows.map(({ id }) => id));
    }
    if (ids.length === 0) return [];
    // Asked again in the update: of two processes that saw the row, one gets it.
    const claimed = await db
      .updateTable('webhook_deliveries')
      .set((eb) => ({ claimed_until: time + claimMs, attempts: eb('attempts', '+', 1) }))
      .where('id', 'in', ids)
      .where('status', '=', 'pending')
      .where('claimed_until', '<=', time)
      .returningAll()
      .execute();
    return claimed.map((row) => ({ ...row, org_id: orgOf.get(row.webhook_id) ?? '' }));
  }

  async #deliver(delivery: Claimed): Promise<void> {
    const { db, vault, now, allowPrivate, logger } = this.#options;
    const what = await db
      .selectFrom('events')
      .innerJoin('webhooks', 'webhooks.org_id', 'events.org_id')
      .select([
        'events.id',
        'events.org_id',
        'events.type',
        'events.data',
        'events.at',
        'webhooks.url',
        'webhooks.secret_sealed',
        'webhooks.failing_since',
      ])
      .where('events.id', '=', delivery.event_id)
      .where('webhooks.id', '=', delivery.webhook_id)
      .executeTakeFirst();
    if (!what) return; // deleted meanwhile
    const { id, type, org_id: orgId, data } = what;
    const body = JSON.stringify({
      id,
      type,
      createdAt: new Date(what.at).toISOString(),
      orgId,
      data: JSON.parse(data),
    });
    let status: number | null = null;
    let error: string | null = null;
    try {
      const secret = vault.unseal(delivery.webhook_id, what.secret_sealed);
      const headers = {
        'content-type': 'application/json',
        'user-agent': 'streams-webhooks/1',
        'streams-event': type,
        'streams-delivery': delivery.id,
        'streams-signature': signature(secret, Math.floor(now() / 1000), body),
      };
      status = await post({ url: what.url, body, headers, allowPrivate, withinMs: this.#options.attemptMs });
      if (status < 200 || status > 299) error = `the endpoint answered ${status}`;
    } catch (cause) {
      error = toStreamsError(cause).message;
    }
    const time = now();
    const wait = retryDelaysMs[delivery.attempts - 1];
    const outcome = error === null ? 'delivered' : wait === undefined ? 'failed' : 'pending';
    await db
      .updateTable('webhook_deliveries')
      .set({
        status: outcome,
        response_status: status,
        error,
        claimed_until: 0,
        next_attempt_at: time + Math.round((wait ?? 0) * (1 + jitter * Math.random())),
        delivered_at: error === null ? time : null,
      })
      .where('id', '=', delivery.id)
      .where('claimed_until', '=', delivery.claimed_until)
      .execute();
    if (error !== null) await this.#failed(delivery, time);
    else if (what.failing_since !== null) await this.#succeeded(delivery);
    if (error !== null)
      logger.warn('webhook was not delivered', {
        deliveryId: delivery.id,
        webhookId: delivery.webhook_id,
        reason: error,
      });
  }

  async #succeeded({ webhook_id: webhookId }: Claimed): Promise<void> {
    const well = { failing_since: null, failures: 0 };
    await this.#options.db.updateTable('webhooks').set(well).where('id', '=', webhookId).execute();
  }

  /** Keeps since when a webhook fails, and how often; switches it off when that is too long ago. */
  async #failed({ webhook_id: webhookId, org_id: orgId }: Claimed, time: number): Promise<void> {
    const { db, logger } = this.#options;
    const failing = await db
      .updateTable('webhooks')
      .set((eb) => ({ failing_since: eb.fn.coalesce('failing_since', eb.val(time)), failures: eb('failures', '+', 1) }))
      .where('id', '=', webhookId)
      .returning(['failing_since', 'failures'])
      .executeTakeFirst();
    if (!failing || time - (failing.failing_since ?? time) < switchOffMs || failing.failures < switchOffFailures)
      return;
    const off = await db.transaction().execute(async (transaction) => {
      const row = await transaction
        .updateTable('webhooks')
        .set({ disabled_at: time })
        .where('id', '=', webhookId)
        .where('disabled_at', 'is', null)
        .where('failing_since', '<=', time - switchOffMs) // unless an attempt has succeeded meanwhile
        .returning('failing_since')
        .executeTakeFirst();
      if (row === undefined) return false;
      const data = { webhookId, failingSince: new Date(row.failing_since ?? time).toISOString() };
      await recordEvent(transaction, { orgId, type: 'webhook.disabled', data, now: time });
      return true;
    });
    if (off) logger.warn('webhook is switched off: it failed for too long', { webhookId });
  }
}

type Claimed = DeliveryRow & { org_id: string };

/**
 * The webhooks that something is due for. Steps from one webhook with something pending to the next in the index, so that what one
 * of them has piled up costs the others nothing.
 */
async function dueWebhooks(db: Db, time: number): Promise<DueWebhook[]> {
  const { rows } = await sql<{ id: string; org_id: string; failing_since: number | null }>`
    with recursive pending (id) as (
      select min(webhook_id) from webhook_deliveries where status = 'pending'
      union all
      select (
        select min(later.webhook_id) from webhook_deliveries as later
        where later.status = 'pending' and later.webhook_id > pending.id
      ) from pending where pending.id is not null
    )
    select webhooks.id, webhooks.org_id, webhooks.failing_since from pending
    join webhooks on webhooks.id = pending.id
    where webhooks.disabled_at is null and exists (
      select 1 from webhook_deliveries as due
      where due.webhook_id = webhooks.id and due.status = 'pending'
        and due.next_attempt_at <= ${time} and due.claimed_until <= ${time}
    )
  `.execute(db);
  return rows.map((row) => ({ webhookId: row.id, orgId: row.org_id, failing: row.failing_since !== null }));
}
