import { sessionCodes } from '../../codec/moqt/codes.ts';
import { delay } from '../../core/delay.ts';
import { StreamsError, toStreamsError } from '../../core/errors.ts';
import { wasGood } from '../../core/good-session.ts';
import { type Logger, redactUrl } from '../../core/log.ts';
import type { Session } from '../../session/types.ts';
import { parseRelayUrl } from '../../transport/relay-url.ts';
import type { Transport } from '../../transport/transport.ts';
import type { RelayCore } from '../relay.ts';
import { joiningPath } from './join.ts';

export type LinkOptions = {
  readonly core: Pick<RelayCore, 'link' | 'hopId'>;
  /** Opens a connection, its path and query being part of the URL: a secret. */
  readonly dial: (url: string, signal: AbortSignal) => Promise<Transport>;
  /** The token to show; asked before every attempt, so that a new one in its file counts. */
  readonly token: () => Promise<string | undefined>;
  readonly logger: Logger;
  /** How long to wait between attempts, ms: the first time, and at most. */
  readonly wait?: { readonly firstMs: number; readonly mostMs: number };
  /** 0 … 1; for tests. */
  readonly random?: () => number;
};

const defaultWait = { firstMs: 250, mostMs: 5000 };
/** So many of the longest waits until a URL that led back to this relay is dialled again: it may lead to another one by then. */
const waitsForAnother = 12;
/** A peer that stays away is told of once in a while. */
const tellEveryMs = 60_000;

/** A link to another relay that is dialled for ever, until it is stopped. */
export class Link {
  readonly #url: string;
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  #session: Session | undefined;
  /** Of the newest session; undefined while it is dialled. */
  #establishedAt: number | undefined;
  #told = { reason: '', at: Number.NEGATIVE_INFINITY };

  /** `url` may carry a token of its own (`?jwt=`): a secret. */
  constructor(url: string, options: LinkOptions) {
    this.#url = url;
    this.#options = options;
    this.#running = this.#run();
  }

  get isOpen(): boolean {
    return this.#session !== undefined;
  }

  /** Closes it and dials no more. Idempotent. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#session?.close(sessionCodes.noError, 'the relay is shutting down');
    await this.#running;
  }

  async #run(): Promise<void> {
    const { firstMs, mostMs } = this.#options.wait ?? defaultWait;
    const { signal } = this.#stop;
    let waitMs = firstMs;
    for (let url = this.#url; !signal.aborted; ) {
      this.#establishedAt = undefined;
      const next = await this.#once(url);
      if (wasGood(this.#establishedAt)) waitMs = firstMs;
      if (next !== undefined && url === this.#url) {
        if (next === 'itself') await this.#sleep(mostMs * waitsForAnother);
        else url = next;
        continue;
      }
      url = this.#url;
      await this.#sleep(waitMs);
      waitMs = Math.min(waitMs * 2, mostMs);
    }
  }

  /** One session from its dial to its end. Returns where the peer sent us, or that this relay has reached itself. */
  async #once(url: string): Promise<string | 'itself' | undefined> {
    let next: string | 'itself' | undefined;
    const shown = redactUrl(url);
    const { core, logger } = this.#options;
    try {
      const end = await this.#open(url, (session) => {
        if (session.peer.hopId === core.hopId) {
          const reason = 'a cluster peer is this relay itself';
          if (this.#told.reason !== reason) logger.info(reason, { url: shown });
          this.#told = { reason, at: performance.now() };
          next = 'itself';
          session.close(sessionCodes.noError, 'it is the same relay');
          return;
        }
        this.#told = { reason: '', at: Number.NEGATIVE_INFINITY };
        this.#session = session;
        this.#establishedAt = performance.now();
        logger.info('cluster peer joined', { url: shown, version: session.version });
        void session.goaway.then(({ uri }) => {
          if (uri !== '') next = this.#absolute(uri);
          session.close(sessionCodes.noError, 'asked to leave');
        });
      });
      if (next !== 'itself') logger.warn('cluster peer left', { url: shown, by: end.by, reason: end.reason });
    } catch (error) {
      this.#tell(shown, error);
    } finally {
      this.#session = undefined;
    }
    return this.#stop.signal.aborted ? undefined : next;
  }

  async #open(url: string, opened: (session: Session) => void) {
    const { core, dial, token } = this.#options;
    const { signal } = this.#stop;
    const { authority, path } = parseRelayUrl(url);
    const joining = joiningPath(path, await token());
    const transport = await dial(new URL(joining, url).toString(), signal);
    if (signal.aborted) transport.close({ code: sessionCodes.noError, reason: '' });
    const session = core.link(transport, {
      path: joining,
      authority,
      ...costIn(this.#url),
      opened(session) {
        if (signal.aborted) session.close(sessionCodes.noError, '');
        opened(session);
      },
    });
    return session;
  }

  /** undefined for what is no URL of a relay: the next attempt goes where it always does. */
  #absolute(uri: string): string | undefined {
    try {
      parseRelayUrl(uri);
      return uri;
    } catch {
      return undefined;
    }
  }

  #tell(url: string, error: unknown): void {
    const { code, message: reason } = toStreamsError(error);
    if (this.#stop.signal.aborted || code === 'INTERRUPTED') return;
    const now = performance.now();
    if (reason === this.#told.reason && now - this.#told.at < tellEveryMs) return;
    this.#told = { reason, at: now };
    const refused = error instanceof StreamsError && refusals.has(code);
    const message = refused ? 'cluster peer refuses this relay' : 'cluster peer is away';
    this.#options.logger.warn(message, { url, code, reason });
  }

  /** Half of it to all of it, so that many do not come back at the same moment. */
  #sleep(ms: number): Promise<void> {
    const { signal } = this.#stop;
    const { random = Math.random } = this.#options;
    return delay((ms * (1 + random())) / 2, signal);
  }
}

/** `?cost=`, what the link costs, in both directions. */
function costIn(url: string): { cost?: number } {
  const cost = new URL(url).searchParams.get('cost');
  return cost === null ? {} : { cost: Number(cost) };
}

const refusals: ReadonlySet<string> = new Set([
  'UNAUTHORIZED',
  'FORBIDDEN',
  'TOKEN_INVALID',
  'TOKEN_EXPIRED',
  'NOT_FOUND',
]);
