import { type Catalog, catalogTrackName } from '../codec/catalog/streams-catalog.ts';
import { sessionCodes } from '../codec/moqt/codes.ts';
import { deferred } from '../core/deferred.ts';
import { childController, delay } from '../core/delay.ts';
import { StreamsError, toStreamsError } from '../core/errors.ts';
import { establish } from '../session/establish.ts';
import { RequestError } from '../session/request-error.ts';
import type { Session, Subscription } from '../session/types.ts';
import { backoffMs } from './backoff.ts';
import { followCatalog } from './catalog-follower.ts';
import { browserConnector } from './connect-browser.ts';
import { followTrack, TrackRecord } from './media-track.ts';
import { openTransport } from './open-transport.ts';
import { refusalOfClose, refusalOfRequest, tokenRefused } from './refusal.ts';
import { type PlaybackTarget, playbackTarget } from './relay-url.ts';
import { selectDefaultTracks } from './select-tracks.ts';
import type {
  Viewer,
  ViewerEndReason,
  ViewerListener,
  ViewerObject,
  ViewerOptions,
  ViewerState,
  ViewerStats,
} from './viewer-types.ts';

/** Without media for this long after asking, the viewer says that it waits. */
const waitingNoticeMs = 1000;
/** A session that lasted this long was a good one: the backoff begins anew. */
const goodSessionMs = 10_000;
/** How long the tracks of a broadcast that went off air may take to deliver what is on its way. */
const drainMs = 2000;
const offAirRetryMs = 500;
/** A playing viewer that received nothing for so long asks whether the relay is still there. */
const silenceMs = 1000;
/** A token this close to its end is renewed before it is used, ms. */
const renewBeforeMs = 10_000;

type Ended = Extract<ViewerState, { name: 'ended' }>;

/** See Viewer. Connects on the next microtask; needs no close() once it has ended by itself. */
export class BroadcastViewer implements Viewer {
  readonly #options: ViewerOptions;
  readonly #listeners = new Set<ViewerListener>();
  readonly #closing = new AbortController();
  readonly #ended = deferred<Ended>();
  readonly #records = new Map<string, TrackRecord>();
  readonly #running: Promise<void>;
  #state: ViewerState = { name: 'connecting' };
  #catalog: Catalog | undefined;
  #target: PlaybackTarget | undefined;
  #token: string | undefined;
  /** Where the relay sent us, for the next connection. */
  #movedTo: string | undefined;
  #connectStartedAt = 0;
  #joinMs: number | undefined;
  #sessions = 0;
  #delivered = false;
  #waitingTimer: ReturnType<typeof setTimeout> | undefined;
  #selection: readonly string[] | undefined;
  #reselect: (() => void) | undefined;
  #receivedAt = 0;

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.#listeners.add(options);
    this.#running = Promise.resolve().then(() => this.#run());
  }

  get state(): ViewerState {
    return this.#state;
  }

  get catalog(): Catalog | undefined {
    return this.#catalog;
  }

  get ended(): Promise<Ended> {
    return this.#ended.promise;
  }

  get stats(): ViewerStats {
    const tracks = Object.fromEntries([...this.#records].map(([name, record]) => [name, record.stats()]));
    const joinMs = this.#joinMs === undefined ? {} : { joinMs: this.#joinMs };
    return { ...joinMs, reconnects: Math.max(0, this.#sessions - 1), tracks };
  }

  listen(listener: ViewerListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  select(tracks: readonly string[] | undefined): void {
    this.#selection = tracks;
    this.#reselect?.();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const closing = this.#closing.signal;
    let attempt = 0;
    let renewed = false;
    while (!closing.aborted) {
      const startedAt = Date.now();
      this.#delivered = false;
      let error: StreamsError;
      try {
        const session = await this.#connect(renewed);
        this.#sessions++;
        const reason = await this.#follow(session);
        if (reason !== undefined) return this.#end(reason);
        break;
      } catch (thrown) {
        error = toStreamsError(thrown);
      }
      if (closing.aborted) break;
      if (this.#delivered || Date.now() - startedAt > goodSessionMs) {
        attempt = 0;
        renewed = false;
      }
      if (error.code === 'TOKEN_EXPIRED' && this.#options.refreshToken !== undefined && !renewed) {
        renewed = true;
        continue;
      }
      const final = finalReason(error);
      if (final !== undefined) return this.#end(final, error);
      attempt++;
      if (attempt >= (this.#options.maxAttempts ?? Number.POSITIVE_INFINITY)) return this.#end('network', error);
      const retryInMs = backoffMs(attempt, Math.random());
      this.#setState({ name: 'reconnecting', attempt, retryInMs, error });
      await delay(retryInMs, closing);
    }
    this.#end('closed_by_caller');
  }

  async #connect(renew: boolean): Promise<Session> {
    const o = this.#options;
    this.#connectStartedAt = Date.now();
    // Should it not answer, the next attempt goes where we were told in the first place.
    const movedTo = this.#movedTo;
    this.#movedTo = undefined;
    const url = movedTo ?? (typeof o.url === 'string' ? o.url : await o.url());
    let target = playbackTarget(url, o.namespace, this.#token);
    if (o.refreshToken !== undefined && (renew || (target.expiresAt ?? Infinity) < Date.now() + renewBeforeMs)) {
      this.#token = await o.refreshToken();
      target = playbackTarget(url, o.namespace, this.#token);
    }
    this.#target = target;
    const timeoutMs = o.connectTimeoutMs ?? 10_000;
    const connect = o.connect ?? browserConnector();
    const transport = await openTransport(connect, target.url, timeoutMs, this.#closing.signal);
    try {
      return await establish(transport, { role: 'client', setupTimeoutMs: timeoutMs });
    } catch (error) {
      transport.close({ code: sessionCodes.noError, reason: '' });
      const refusal = refusalOfClose(await transport.closed, target.expiresAt);
      if (refusal !== undefined) throw refusal;
      const { code, message } = toStreamsError(error);
      throw code === 'UNAUTHORIZED' ? tokenRefused(message, false, target.expiresAt) : error;
    }
  }

  /** One session, to its end. undefined: closed by the caller. Throws what made it end, unless the broadcast itself did. */
  async #follow(session: Session): Promise<ViewerEndReason | undefined> {
    const { controller, release } = childController(this.#closing.signal);
    const over = () => controller.abort();
    void session.closed.then(over);
    void session.goaway.then(({ uri }) => {
      if (URL.canParse(uri)) this.#movedTo = uri;
      over();
    });
    // Ends every request and stream of it, and so all that waits below.
    controller.signal.addEventListener('abort', () =>
      session.close(sessionCodes.noError, this.#closing.signal.aborted ? 'closed_by_caller' : ''),
    );
    this.#noticeWaiting();
    // A browser would find out by its idle timeout only.
    const watch = setInterval(() => {
      if (this.#state.name === 'playing' && Date.now() - this.#receivedAt >= silenceMs) session.probe();
    }, silenceMs / 2);
    try {
      while (!controller.signal.aborted) {
        const subscription = await this.#subscribeCatalog(session, controller.signal);
        if (subscription === undefined) continue;
        if (await this.#followBroadcast(session, subscription, controller.signal)) return 'complete';
        if (controller.signal.aborted) break;
        this.#setState({ name: 'waiting' });
        await delay(offAirRetryMs, controller.signal);
      }
    } catch (error) {
      const refusal = refusalOfRequest(error, this.#target?.expiresAt);
      if (refusal !== undefined) throw refusal;
      // A lost session fails its requests first; how it was closed says more.
      if (toStreamsError(error).code !== 'TRANSPORT_CLOSED') throw error;
    } finally {
      release();
      controller.abort();
      clearInterval(watch);
      clearTimeout(this.#waitingTimer);
    }
    if (this.#closing.signal.aborted) return undefined;
    const close = await session.closed;
    const refusal = refusalOfClose(close, this.#target?.expiresAt);
    if (refusal !== undefined) throw refusal;
    if (close.by === 'peer' && close.code === sessionCodes.noError) {
      if (close.reason === 'complete' || close.reason === 'finished') return close.reason;
    }
    const reason = close.reason === '' ? '' : `: ${close.reason}`;
    throw new StreamsError('TRANSPORT_CLOSED', `the connection to the relay was lost${reason}`);
  }

  /** undefined: not now. */
  async #subscribeCatalog(session: Session, signal: AbortSignal): Promise<Subscription | undefined> {
    const rendezvousMs = this.#options.rendezvousMs ?? 30_000;
    try {
      const track = { namespace: this.#target!.namespace, name: catalogTrackName };
      return await session.subscribe(track, { filter: { type: 'unfiltered' }, priority: 0, rendezvousMs, signal });
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!(error instanceof RequestError) || refusalOfRequest(error, undefined) !== undefined) throw error;
      this.#setState({ name: 'waiting' });
      await delay(error.retryMs ?? offAirRetryMs, signal);
      return undefined;
    }
  }

  /** From the catalog to the moment the publisher is gone. true: an on-demand broadcast was delivered to its end. */
  async #followBroadcast(session: Session, subscription: Subscription, signal: AbortSignal): Promise<boolean> {
    const { controller: stop, release } = childController(signal);
    const last = childController(stop.signal);
    const following = new Map<string, { stop: AbortController; done: Promise<boolean> }>();
    const failed = deferred<never>();
    failed.promise.catch(() => {});
    let onDemand = false;
    const update = (catalog: Catalog) => {
      this.#catalog = catalog;
      onDemand = !catalog.live && !this.#target!.namespace.at(-1)?.startsWith('lv_');
      // A listener may select, and does so once for this catalog.
      this.#reselect = undefined;
      this.#emit((listener) => listener.onCatalog?.(catalog));
      this.#reselect = () => choose(catalog);
      choose(catalog);
    };
    const choose = (catalog: Catalog) => {
      const wanted = new Set(this.#selection ?? (this.#options.selectTracks ?? selectDefaultTracks)(catalog));
      for (const [name, track] of following)
        if (!wanted.has(name)) {
          track.stop.abort();
          following.delete(name);
          // What passes while it is not wanted is no gap.
          this.#records.delete(name);
        }
      for (const track of catalog.tracks) {
        if (!wanted.has(track.name) || following.has(track.name)) continue;
        const own = childController(stop.signal);
        const record = this.#records.get(track.name) ?? new TrackRecord();
        this.#records.set(track.name, record);
        const done = followTrack({
          session,
          namespace: this.#target!.namespace,
          track,
          record,
          rendezvousMs: this.#options.rendezvousMs ?? 30_000,
          stallMs: onDemand ? Number.POSITIVE_INFINITY : (this.#options.stallMs ?? 300),
          last: last.controller.signal,
          stop: own.controller.signal,
          onObject: (object) => this.#onObject(object),
          onGap: (gap) => this.#emit((listener) => listener.onGap?.(gap)),
        }).finally(own.release);
        done.catch(failed.reject);
        following.set(track.name, { stop: own.controller, done });
      }
    };
    try {
      await Promise.race([followCatalog(subscription, update), failed.promise]);
      if (onDemand) return (await Promise.race([this.#all(following.values()), failed.promise])).every(Boolean);
      last.controller.abort();
      await Promise.race([this.#all(following.values()), failed.promise, delay(drainMs, signal)]);
      return false;
    } finally {
      this.#reselect = undefined;
      // Before `last` is let go of: a track that waits for an answer or its next try hears of it by that alone.
      stop.abort();
      last.release();
      release();
      subscription.unsubscribe();
      await Promise.allSettled([...following.values()].map(({ done }) => done));
    }
  }

  #all(tracks: Iterable<{ done: Promise<boolean> }>): Promise<boolean[]> {
    return Promise.all([...tracks].map(({ done }) => done));
  }

  #onObject(object: ViewerObject): void {
    if (this.#closing.signal.aborted) return;
    this.#receivedAt = Date.now();
    if (object.objectId > 0) {
      this.#delivered = true;
      this.#joinMs ??= Date.now() - this.#connectStartedAt;
      if (this.#state.name !== 'playing') {
        clearTimeout(this.#waitingTimer);
        this.#setState({ name: 'playing' });
      }
    }
    this.#emit((listener) => listener.onObject?.(object));
  }

  #noticeWaiting(): void {
    clearTimeout(this.#waitingTimer);
    this.#waitingTimer = setTimeout(() => this.#setState({ name: 'waiting' }), waitingNoticeMs);
  }

  #setState(state: ViewerState): void {
    if (this.#state.name === 'ended') return;
    if (state.name === 'waiting' && this.#state.name === 'waiting') return;
    this.#state = state;
    this.#emit((listener) => listener.onState?.(state));
  }

  #end(reason: ViewerEndReason, error?: StreamsError): void {
    const state: Ended = { name: 'ended', reason, ...(error === undefined ? {} : { error }) };
    this.#setState(state);
    this.#ended.resolve(state);
  }

  #emit(call: (listener: ViewerListener) => void): void {
    for (const listener of [...this.#listeners]) call(listener);
  }
}

/** What no further attempt would change. */
function finalReason(error: StreamsError): ViewerEndReason | undefined {
  switch (error.code) {
    case 'TOKEN_EXPIRED':
    case 'TOKEN_INVALID':
      return 'auth_failed';
    case 'UNSUPPORTED':
    case 'MALFORMED':
    case 'USAGE':
    case 'INVALID_ARGUMENT':
    case 'QUIC_UNAVAILABLE':
      return 'network';
    default:
      return undefined;
  }
}
