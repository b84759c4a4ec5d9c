import { toStreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Vault } from '../auth/vault.ts';
import type { Db, DeliveryRow } from '../store/schema.ts';
import { post, signature } from './send.ts';

/** Waits after the first, second, … failure; after the last of them the delivery has failed for good. */
export const retryDelaysMs = [5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000];
/** Longer than an attempt takes: a process that dies in one leaves it to be tried again. */
const claimMs = 30_000;
/** Attempts at once: an endpoint that does not answer must not hold up the others. */
const maxPerWebhook = 8;
const maxAtOnce = 64;

export type DispatcherOptions = {
  db: Db;
  vault: Vault;
  logger: Logger;
  now(): number;
  allowPrivate: boolean;
  /** How often to look for what is due. Default 500. */
  pollMs?: number;
};

/** Delivers what is due. Rows are claimed in the store, so any number of processes may run one on it. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #attempts = new Map<Promise<void>, string>();
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
        this.#attempts.set(attempt, row.webhook_id);
      }
    }
  }

  async #claim(): Promise<DeliveryRow[]> {
    const { db, now } = this.#options;
    if (this.#closed) return [];
    const time = now();
    const room = new Map<string, number>();
    const roomOf = (webhookId: string) => room.get(webhookId) ?? maxPerWebhook;
    for (const webhookId of this.#attempts.values()) room.set(webhookId, roomOf(webhookId) - 1);
    const full = [...room.keys()].filter((webhookId) => roomOf(webhookId) <= 0);
    const due = await db
      .selectFrom('webhook_deliveries')
      .select(['id', 'webhook_id'])
      .where('status', '=', 'pending')
      .where('next_attempt_at', '<=', time)
      .where('claimed_until', '<=', time)
      .$if(full.length > 0, (query) => query.where('webhook_id', 'not in', full))
      .orderBy('next_attempt_at')
      .limit(maxAtOnce - this.#attempts.size)
      .execute();
    const wanted = due.filter(({ webhook_id }) => {
      room.set(webhook_id, roomOf(webhook_id) - 1);
      return roomOf(webhook_id) >= 0;
    });
    if (wanted.length === 0) return [];
    // Asked again in the update: of two processes that saw the row, one gets it.
    return db
      .updateTable('webhook_deliveries')
      .set((eb) => ({ claimed_until: time + claimMs, attempts: eb('attempts', '+', 1) }))
      .where(
        'id',
        'in',
        wanted.map(({ id }) => id),
      )
      .where('status', '=', 'pending')
      .where('claimed_until', '<=', time)
      .returningAll()
      .execute();
  }

  async #deliver(delivery: DeliveryRow): Promise<void> {
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
      status = await post({ url: what.url, body, headers, allowPrivate });
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
        next_attempt_at: time + (wait ?? 0),
        delivered_at: error === null ? time : null,
      })
      .where('id', '=', delivery.id)
      .where('claimed_until', '=', delivery.claimed_until)
      .execute();
    if (error !== null)
      logger.warn('webhook was not delivered', {
        deliveryId: delivery.id,
        webhookId: delivery.webhook_id,
        reason: error,
      });
  }
}
