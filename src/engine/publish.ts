import { answerFetch } from '../broadcast/answer-fetch.ts';
import { type FeedTally, newTally, TrackSender } from '../broadcast/track-sender.ts';
import type { TrackStore } from '../broadcast/track-store.ts';
import { publisherPriority } from '../codec/catalog/publisher-priority.ts';
import { requestErrorCodes, sessionCodes } from '../codec/moqt/codes.ts';
import { formatSessionPath } from '../contract/session-path.ts';
import { delay } from '../core/delay.ts';
import { toStreamsError } from '../core/errors.ts';
import { faultFields } from '../core/fault.ts';
import { wasGood } from '../core/good-session.ts';
import { type Logger, redactUrl } from '../core/log.ts';
import { establish } from '../session/establish.ts';
import type { IncomingFetch, IncomingSubscribe, Session } from '../session/types.ts';
import type { Transport } from '../transport/transport.ts';
import type { Broadcast } from './broadcast.ts';
import { watchSilence } from './watch-silence.ts';

/** Longest stay on a relay that asked us to go elsewhere. */
const longestFarewellMs = 30_000;
/** A line that is too slow is worth a word this often. */
const slowWordMs = 10_000;

export type RelayPublisherOptions = {
  broadcast: Broadcast;
  inputId: string;
  /** What the encoder showed us, if it was shown to us: the relay asks about it again. */
  streamKey: string | undefined;
  /** See access/engine-proof.ts. */
  proof?: string;
  namespace: readonly string[];
  relayUrl: string;
  connect: (url: string) => Promise<Transport>;
  logger: Logger;
  /** First and longest wait between attempts; default 100 and 5000. */
  retryMs?: { first: number; longest: number };
};

/**
 * Keeps one broadcast published to the relay until `close`: connects, announces the namespace, answers subscriptions on
 * demand, and begins again whenever the relay goes away. The broadcast never waits for it.
 */
export class RelayPublisher {
  readonly #options: RelayPublisherOptions;
  readonly #stop = new AbortController();
  readonly #finished: Promise<void>;
  readonly #tally: FeedTally = { ...newTally(), gaveUp: () => this.#tooSlow() };
  /** When, and after how many objects, the log was last told of the line. */
  #told = { at: Number.NEGATIVE_INFINITY, dropped: 0 };
  #streamKey: string | undefined;
  #session: Session | undefined;
  /** Where the relay sent us, for the next connection. */
  #movedTo: string | undefined;

  constructor(options: RelayPublisherOptions) {
    this.#options = options;
    this.#streamKey = options.streamKey;
    this.#finished = this.#run();
  }

  get connected(): boolean {
    return this.#session !== undefined;
  }

  /** What the relay asked for, and what of it the line was too slow for. */
  get tally(): Readonly<FeedTally> {
    return this.#tally;
  }

  /** The key of a publisher that took over, for the next connection. */
  set streamKey(streamKey: string | undefined) {
    this.#streamKey = streamKey;
  }

  /** The broadcast should have ended before, so that subscribers hear why. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#session?.close(sessionCodes.noError, 'broadcast ended');
    await this.#finished;
  }

  async #run(): Promise<void> {
    const { logger, inputId, retryMs = { first: 100, longest: 5000 } } = this.#options;
    const { signal } = this.#stop;
    let wait = retryMs.first;
    while (!signal.aborted) {
      let establishedAt: number | undefined;
      try {
        const session = await this.#connect();
        establishedAt = performance.now();
        logger.info('published to the relay', { inputId });
        const leave = await Promise.race([session.closed.then(() => undefined), session.goaway]);
        if (leave !== undefined) {
          this.#leave(session, leave);
          if (URL.canParse(leave.uri)) continue;
        }
        const { by, code, reason } = await session.closed;
        if (!signal.aborted)
          logger.warn('the relay connection ended', { inputId, by, code, reason: redactUrl(reason) });
      } catch (error) {
        const { code, message } = toStreamsError(error);
        if (!signal.aborted)
          logger.warn('cannot publish to the relay', { inputId, code, reason: redactUrl(message), retryMs: wait });
      }
      this.#session = undefined;
      if (wasGood(establishedAt)) wait = retryMs.first;
      await delay(wait, signal);
      wait = Math.min(wait * 2, retryMs.longest);
    }
  }

  /**
   * The relay asked us to go (draft-18 8.6.1). Elsewhere: objects flow on here until it closes, so that viewers can move. Back
   * to itself, that is to its successor: at once.
   */
  #leave(session: Session, { uri, timeoutMs }: { uri: string; timeoutMs: number }): void {
    const { logger, inputId } = this.#options;
    logger.info('the relay asks to leave', { inputId, to: redactUrl(uri) });
    if (!URL.canParse(uri)) {
      session.close(sessionCodes.noError, 'leaving as asked');
      return;
    }
    const { protocol, host } = new URL(uri);
    this.#movedTo = `${protocol}//${host}`;
    this.#session = undefined;
    const { signal } = this.#stop;
    const close = (): void => session.close(sessionCodes.noError, 'moved as asked');
    const timer = setTimeout(close, Math.min(timeoutMs === 0 ? longestFarewellMs : timeoutMs, longestFarewellMs));
    signal.addEventListener('abort', close, { once: true });
    void session.closed.then(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', close);
    });
  }

  async #connect(): Promise<Session> {
    const { connect, namespace, logger } = this.#options;
    const { signal } = this.#stop;
    const relayUrl = this.#movedTo ?? this.#options.relayUrl;
    // Should the new one not answer, the next attempt goes where we were told in the first place.
    this.#movedTo = undefined;
    const transport = await connect(relayUrl);
    const abort = () => transport.close({ code: sessionCodes.noError, reason: 'broadcast ended' });
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      const aliases = new Map<string, number>();
      const session = await establish(transport, {
        role: 'client',
        path: this.#path(),
        authority: new URL(relayUrl).host,
        fault: (error) => logger.error('an unexpected error: the relay connection is closed', faultFields(error)),
        handlers: {
          subscribe: (request) => this.#subscribe(request, aliases),
          fetch: (request) => this.#fetch(request),
        },
      });
      const announced = await session.publishNamespace(namespace);
      void announced.ended.then(() => session.close(sessionCodes.noError, 'namespace is over'));
      watchSilence(transport);
      this.#session = session;
      return session;
    } catch (error) {
      transport.close({ code: sessionCodes.internalError, reason: 'cannot publish' });
      throw error;
    } finally {
      // From here on `close` ends the session itself, after what it still has to say.
      signal.removeEventListener('abort', abort);
    }
  }

  #tooSlow(): void {
    const now = performance.now();
    if (now - this.#told.at < slowWordMs) return;
    const { logger, inputId } = this.#options;
    const { droppedObjects, droppedGroups } = this.#tally;
    const fields = { inputId, objects: droppedObjects - this.#told.dropped, droppedObjects, droppedGroups };
    logger.warn('the line to the relay is too slow: groups are given up', fields);
    this.#told = { at: now, dropped: droppedObjects };
  }

  #path(): string {
    const { inputId, proof } = this.#options;
    return formatSessionPath({
      kind: 'publish',
      id: inputId,
      ...(this.#streamKey !== undefined && { streamKey: this.#streamKey }),
      ...(proof !== undefined && { engineProof: proof }),
    });
  }

  #subscribe(request: IncomingSubscribe, aliases: Map<string, number>): void {
    const { name } = request.track;
    this.#find(request, (track) => {
      const alias = aliases.get(name) ?? aliases.size + 1;
      aliases.set(name, alias);
      new TrackSender(request, track, alias, publisherPriority(name), this.#tally);
    });
  }

  #fetch(request: IncomingFetch): void {
    this.#find(request, (track) => void answerFetch(request, track, publisherPriority(request.track.name)));
  }

  /** Refuses what is no track of this broadcast; `found` is called unless the request was cancelled meanwhile. */
  #find(request: IncomingSubscribe | IncomingFetch, found: (track: TrackStore) => void): void {
    const { namespace, broadcast } = this.#options;
    const { track } = request;
    const ours =
      track.namespace.length === namespace.length && track.namespace.every((part, i) => part === namespace[i]);
    if (!ours) {
      request.reject(requestErrorCodes.doesNotExist, 'not the namespace of this broadcast');
      return;
    }
    let cancelled = false;
    void request.cancelled.then(() => {
      cancelled = true;
    });
    broadcast.find(track.name, (store) => {
      if (cancelled) return;
      if (store === undefined) request.reject(requestErrorCodes.doesNotExist, 'no such track in this broadcast');
      else found(store);
    });
  }
}
