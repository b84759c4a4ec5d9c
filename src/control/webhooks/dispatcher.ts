import { toStreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { Vault } from '../auth/vault.ts';
import type { Db, DeliveryRow } from '../store/schema.ts';
import { post, signature } from './send.ts';

/** Waits after the first, second, … failure; after the last of them the delivery has failed for good. */
export const retryDelaysMs = [5_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000];
/** Longer than an attempt takes: a process that dies in one leaves it to be tried again. */
const claimMs = 30_000;
const batch = 16;

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
  #running: Promise<void> | undefined;
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
    await this.#running;
  }

  #kick(): void {
    if (this.#running !== undefined || this.#closed) return;
    this.#running = this.#run()
      .catch((error) => this.#options.logger.error('webhooks stand still', { detail: toStreamsError(error).message }))
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #run(): Promise<void> {
    while (!this.#closed) {
      const claimed = await this.#claim();
      if (claimed.length === 0) return;
      await Promise.all(claimed.map((row) => this.#deliver(row)));
    }
  }

  async #claim(): Promise<DeliveryRow[]> {
    const { db, now } = this.#options;
    const time = now();
    const due = await db
      .selectFrom('webhook_deliveries')
      .select('id')
      .where('status', '=', 'pending')
      .where('next_attempt_at', '<=', time)
      .where('claimed_until', '<=', time)
      .orderBy('next_attempt_at')
      .limit(batch)
      .execute();
    if (due.length === 0) return [];
    // Asked again in the update: of two processes that saw the row, one gets it.
    return db
      .updateTable('webhook_deliveries')
      .set((eb) => ({ claimed_until: time + claimMs, attempts: eb('attempts', '+', 1) }))
      .where(
        'id',
        'in',
        due.map(({ id }) => id),
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
