import type { ControlClient } from '../contract/client.ts';
import type { AnswerOf, RequestOf } from '../contract/endpoints.ts';
import { delay } from '../core/delay.ts';
import { StreamsError } from '../core/errors.ts';
import type { Logger } from '../core/log.ts';

/** What a session is held by, to be compared with what was revoked. Times are milliseconds since the Unix epoch. */
export type RevocableSession =
  | { kind: 'playback'; org: string; ids: readonly string[]; viewer: string; jti: string | undefined; issuedAt: number }
  | { kind: 'publish'; org: string; inputId: string; grantedAt: number };

export type RevocationsOptions = {
  readonly control: ControlClient;
  readonly logger: Logger;
  /** Two requests are at least this far apart while somebody holds the list; one older than this is asked for before it is relied on. Default 750. */
  readonly pollMs?: number;
};

type Entry = { at: number; expiresAt: number };
/** `next`: there are older ones, to be asked for with it. */
type Page = { until: number; version: string | undefined; next: string | undefined };

const timeoutMs = 5000;
/** How long the control plane may hold its answer while it has no news. */
const waitSeconds = 10;
/** About 150 bytes each. */
const maxEntries = 500_000;

/**
 * What the control plane has revoked: tokens, viewers, inputs, publishers. While it is held (a session is open) a request for
 * news is always under way, which the control plane answers when there are some, so that a revocation is known within a second.
 * While the control plane is away the last list stays in force.
 */
export class Revocations {
  readonly #options: RevocationsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<() => void>();
  #since = 0;
  #version: string | undefined;
  #keysVersion: string | undefined;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | undefined;
  #following: AbortController | undefined;
  /** The answer will come as soon as there is news. */
  #waiting = false;
  #away = false;

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /** Another one when the active signing keys have changed; undefined: not known yet. */
  get keysVersion(): string | undefined {
    return this.#keysVersion;
  }

  /** Resolves with a list, all of it, that is no older than a poll. Throws API_UNREACHABLE when none could be had yet. */
  async ready(): Promise<void> {
    if (!this.#waiting && performance.now() - this.#loadedAt > this.#pollMs) await this.#poll();
    if (this.#loadedAt === Number.NEGATIVE_INFINITY)
      throw new StreamsError('API_UNREACHABLE', 'the control plane does not answer');
  }

  /**
   * Whether the session was revoked, as far as we know. A token counts as issued at the beginning of its second, so one that
   * was minted in the second of a revocation is revoked with the ones before it.
   */
  covers(session: RevocableSession): boolean {
    if (session.kind === 'publish')
      return this.#revokedSince('publish', session.org, session.inputId, session.grantedAt);
    const { org, ids, viewer, jti, issuedAt } = session;
    if (jti !== undefined && this.#entries.has(keyOf('jti', org, jti))) return true;
    if (this.#revokedSince('viewer', org, viewer, issuedAt)) return true;
    return ids.some((id) => this.#revokedSince('input', org, id, issuedAt));
  }

  /** Keeps the list fresh and calls `changed` whenever something was revoked, or the signing keys changed. Returns how to let go. */
  hold(changed: () => void): () => void {
    const listener = (): void => changed();
    this.#listeners.add(listener);
    if (this.#following === undefined) void this.#follow();
    return () => {
      if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return;
      this.#following?.abort();
      this.#following = undefined;
    };
  }

  async #follow(): Promise<void> {
    const following = new AbortController();
    this.#following = following;
    while (!following.signal.aborted) {
      const askedAt = performance.now();
      await this.#fetch(following.signal);
      const waitMs = askedAt + this.#pollMs - performance.now();
      if (waitMs > 0) await delay(waitMs, following.signal);
    }
  }

  get #pollMs(): number {
    return this.#options.pollMs ?? 750;
  }

  #revokedSince(kind: string, org: string, value: string, time: number): boolean {
    const entry = this.#entries.get(keyOf(kind, org, value));
    return entry !== undefined && entry.at >= time;
  }

  #poll(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  /** With `held` the control plane may wait for news, and until that aborts. */
  async #fetch(held?: AbortSignal): Promise<void> {
    const { logger } = this.#options;
    const waits = held !== undefined && this.#version !== undefined && !this.#away;
    const since = this.#since;
    try {
      this.#waiting ||= waits;
      const wait = waits ? waitSeconds : 0;
      const first = this.#take(await this.#ask({ since, ...(waits && { seen: this.#version }), wait }, held));
      if (waits) this.#waiting = false; // what is relied on meanwhile has to wait for the other pages
      for (let { next } = first; next !== undefined; )
        ({ next } = this.#take(await this.#ask({ since, before: next, wait: 0 }, held)));
      this.#allTaken(first);
      if (this.#away) logger.info('revocations can be fetched again');
      this.#away = false;
    } catch (error) {
      if (held?.aborted) return;
      if (!this.#away) {
        const reason = error instanceof Error ? error.message : String(error);
        logger.warn('revocations cannot be fetched, the last known ones stay in force', { reason });
      }
      this.#away = true;
    } finally {
      if (held !== undefined) this.#waiting = false;
    }
  }

  /** One page, as it came. */
  #ask(request: RequestOf<'revocations'>, signal: AbortSignal | undefined): Promise<Partial<AnswerOf<'revocations'>>> {
    const { wait } = request as { wait: number };
    return this.#options.control.ask('revocations', request, { signal, timeoutMs: timeoutMs + wait * 1000 });
  }

  /** What a page says holds at once, and those who hold the list are told when it is new. Throws MALFORMED for an answer that is none. */
  #take({ until, revocations, version, keys, next }: Partial<AnswerOf<'revocations'>>): Page {
    if (typeof until !== 'number' || !Array.isArray(revocations))
      throw new StreamsError('MALFORMED', 'not a list of revocations');
    let changed = false;
    if (typeof keys === 'string' && keys !== this.#keysVersion) {
      this.#keysVersion = keys;
      changed = true;
    }
    for (const { kind, org, value, at, expiresAt } of revocations) {
      const key = keyOf(kind, org, value);
      const known = this.#entries.get(key);
      if (known !== undefined && known.at >= at) continue;
      this.#entries.set(key, { at, expiresAt });
      changed = true;
    }
    if (changed) for (const listener of [...this.#listeners]) listener();
    return {
      until,
      version: typeof version === 'string' ? version : undefined,
      next: typeof next === 'string' ? next : undefined,
    };
  }

  /** All pages have been read. What comes in while they are is newer than the version of the first, and told with the next. */
  #allTaken({ until, version }: Page): void {
    if (version !== undefined) this.#version = version;
    this.#since = until;
    this.#loadedAt = performance.now();
    // The control plane's time, since ours may differ: `until` never lies in its future.
    for (const [key, entry] of this.#entries) if (entry.expiresAt < until) this.#entries.delete(key);
    const tooMany = this.#entries.size - maxEntries;
    if (tooMany <= 0) return;
    this.#options.logger.warn('more was revoked than is kept: the oldest is forgotten', { forgotten: tooMany });
    const oldest = [...this.#entries].sort(([, a], [, b]) => a.at - b.at).slice(0, tooMany);
    for (const [key] of oldest) this.#entries.delete(key);
  }
}

function keyOf(kind: string, org: string, value: string): string {
  return `${kind} ${org} ${value}`;
}
