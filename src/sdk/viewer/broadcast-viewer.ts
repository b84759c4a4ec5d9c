import { type Catalog, catalogTrackName } from '../../codec/catalog/streams-catalog.ts';
import { sessionCodes } from '../../codec/moqt/codes.ts';
import { deferred } from '../../core/deferred.ts';
import { childController, delay } from '../../core/delay.ts';
import { StreamsError, toStreamsError } from '../../core/errors.ts';
import { wasGood } from '../../core/good-session.ts';
import { objectPriorities } from '../../core/send-order.ts';
import { RequestError } from '../../session/request-error.ts';
import type { Session, Subscription } from '../../session/types.ts';
import { backoffMs } from '../connect/backoff.ts';
import { followCatalog } from './catalog-follower.ts';
import { FollowedTracks } from './followed-tracks.ts';
import { LineLookout, newLookoutMemory } from './line-lookout.ts';
import type { TrackRecord } from './media-track.ts';
import { refusalOfClose, refusalOfRequest } from './refusal.ts';
import { selectDefaultTracks } from './select-tracks.ts';
import { ViewerDialer } from './viewer-dialer.ts';
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
/** How long the tracks of a broadcast that went off air may take to deliver what is on its way. */
const drainMs = 2000;
const offAirRetryMs = 500;

type Ended = Extract<ViewerState, { name: 'ended' }>;

/** See Viewer. Connects on the next microtask; needs no close() once it has ended by itself. */
export class BroadcastViewer implements Viewer {
  readonly #options: ViewerOptions;
  readonly #listeners = new Set<ViewerListener>();
  readonly #closing = new AbortController();
  readonly #ended = deferred<Ended>();
  readonly #dialer: ViewerDialer;
  readonly #records = new Map<string, TrackRecord>();
  readonly #running: Promise<void>;
  #state: ViewerState = { name: 'connecting' };
  #catalog: Catalog | undefined;
  #connectStartedAt = 0;
  #joinMs: number | undefined;
  #sessions = 0;
  #delivered = false;
  #waitingTimer: ReturnType<typeof setTimeout> | undefined;
  #selection: readonly string[] | undefined;
  #reselect: (() => void) | undefined;
  #receivedAt = 0;
  /** Dialled beside a session, to take its place. */
  #next: Session | undefined;
  readonly #lookoutMemory = newLookoutMemory();

  constructor(options: ViewerOptions) {
    this.#options = options;
    this.#listeners.add(options);
    this.#dialer = new ViewerDialer(options, this.#closing.signal);
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
    const transport = this.#dialer.kind;
    return { ...joinMs, ...(transport && { transport }), reconnects: Math.max(0, this.#sessions - 1), tracks };
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
      let establishedAt: number | undefined;
      this.#delivered = false;
      let error: StreamsError;
      try {
        this.#connectStartedAt = Date.now();
        const next = this.#next;
        this.#next = undefined;
        const session = next ?? (await this.#dialer.connect(renewed));
        establishedAt = performance.now();
        this.#sessions++;
        const reason = await this.#follow(session);
        if (reason !== undefined) return this.#end(reason);
        break;
      } catch (thrown) {
        error = toStreamsError(thrown);
      }
      if (closing.aborted) break;
      if (this.#next !== undefined) continue;
      if (this.#delivered || wasGood(establishedAt)) {
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

  /** One session, to its end. undefined: closed by the caller. Throws what made it end, unless the broadcast itself did. */
  async #follow(session: Session): Promise<ViewerEndReason | undefined> {
    const { controller, release } = childController(this.#closing.signal);
    const over = () => controller.abort();
    void session.closed.then(over);
    void session.goaway.then(({ uri }) => {
      this.#dialer.moved(uri);
      over();
    });
    // Ends every request and stream of it, and so all that waits below.
    const leave = () => session.close(sessionCodes.noError, this.#closing.signal.aborted ? 'closed_by_caller' : '');
    controller.signal.addEventListener('abort', leave);
    // The caller may have closed the viewer between SETUP and here: an aborted signal tells nobody again.
    if (controller.signal.aborted) leave();
    this.#noticeWaiting();
    const startedAt = Date.now();
    let lost: StreamsError | undefined;
    const lookout = new LineLookout({
      memory: this.#lookoutMemory,
      silentMs: () => (this.#isUnderWay ? Date.now() - Math.max(this.#receivedAt, startedAt) : 0),
      silent: () => {
        this.#setState({ name: 'stalled' });
        session.probe();
      },
      kind: this.#dialer.kind,
      dial: (better) => this.#dialer.connect(false, { better, signal: controller.signal }),
      replace: (other) => {
        this.#next = other;
        over();
      },
      lost: (error) => {
        lost = error;
        over();
      },
    });
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
      const refusal = refusalOfRequest(error, this.#dialer.target?.expiresAt);
      if (refusal !== undefined) throw refusal;
      // A lost session fails its requests first; how it was closed says more.
      if (toStreamsError(error).code !== 'TRANSPORT_CLOSED') throw error;
    } finally {
      release();
      controller.abort();
      lookout.close();
      clearTimeout(this.#waitingTimer);
    }
    if (this.#closing.signal.aborted) return undefined;
    if (lost !== undefined) throw lost;
    const close = await session.closed;
    const refusal = refusalOfClose(close, this.#dialer.target?.expiresAt);
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
      const track = { namespace: this.#dialer.target!.namespace, name: catalogTrackName };
      const priority = objectPriorities.catalog;
      return await session.subscribe(track, { filter: { type: 'unfiltered' }, priority, rendezvousMs, signal });
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
    const { namespace } = this.#dialer.target!;
    const tracks = new FollowedTracks(
      {
        session,
        namespace,
        rendezvousMs: this.#options.rendezvousMs ?? 30_000,
        ...(this.#options.maxLateMs !== undefined && { maxLateMs: this.#options.maxLateMs }),
        onObject: (object) => this.#onObject(object),
        onGap: (gap) => this.#emit((listener) => listener.onGap?.(gap)),
      },
      this.#records,
      signal,
    );
    let onDemand = false;
    const update = (catalog: Catalog) => {
      this.#catalog = catalog;
      onDemand = !catalog.live && !namespace.at(-1)?.startsWith('lv_');
      // A listener may select, and does so once for this catalog.
      this.#reselect = undefined;
      this.#emit((listener) => listener.onCatalog?.(catalog));
      this.#reselect = () => choose(catalog);
      choose(catalog);
    };
    const choose = (catalog: Catalog) => {
      const wanted = new Set(this.#selection ?? (this.#options.selectTracks ?? selectDefaultTracks)(catalog));
      tracks.choose(catalog, wanted, onDemand ? Number.POSITIVE_INFINITY : (this.#options.stallMs ?? 300));
    };
    try {
      await Promise.race([followCatalog(subscription, update), tracks.failed]);
      if (onDemand) return (await tracks.ended()).every(Boolean);
      tracks.finish();
      await Promise.race([tracks.ended(), delay(drainMs, signal)]);
      return false;
    } finally {
      this.#reselect = undefined;
      const closed = tracks.close();
      subscription.unsubscribe();
      await closed;
    }
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

  get #isUnderWay(): boolean {
    return this.#state.name === 'playing' || this.#state.name === 'stalled';
  }

  #noticeWaiting(): void {
    clearTimeout(this.#waitingTimer);
    this.#waitingTimer = setTimeout(() => this.#setState({ name: 'waiting' }), waitingNoticeMs);
  }

  #setState(state: ViewerState): void {
    if (this.#state.name === 'ended') return;
    if (state.name === this.#state.name && (state.name === 'waiting' || state.name === 'stalled')) return;
    this.#state = state;
    this.#emit((listener) => listener.onState?.(state));
  }

  #end(reason: ViewerEndReason, error?: StreamsError): void {
    this.#next?.close(sessionCodes.noError, reason);
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
