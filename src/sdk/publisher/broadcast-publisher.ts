import { type FeedTally, newTally } from '../../broadcast/track-sender.ts';
import { parseFragment, type TrackDefaults } from '../../codec/cmaf/fragment.ts';
import { type ParsedTrack, parseInitSegment } from '../../codec/cmaf/init-segment.ts';
import { type TrackPiece, TrackSplitter } from '../../codec/cmaf/track-splitter.ts';
import { sessionCodes } from '../../codec/moqt/codes.ts';
import { deferred } from '../../core/deferred.ts';
import { delay } from '../../core/delay.ts';
import { StreamsError, toStreamsError } from '../../core/errors.ts';
import { wasGood } from '../../core/good-session.ts';
import { establish } from '../../session/establish.ts';
import type { Session } from '../../session/types.ts';
import { backoffMs } from '../connect/backoff.ts';
import { browserConnector } from '../connect/connect-browser.ts';
import { openTransport } from '../connect/open-transport.ts';
import { reportFault } from '../connect/report-fault.ts';
import { Pace } from './pace.ts';
import { publishRefusal } from './publish-refusal.ts';
import { PublishedBroadcast } from './published-broadcast.ts';
import { PublisherSession } from './publisher-session.ts';
import type {
  PublisherEndReason,
  PublisherOptions,
  PublisherState,
  PublisherStats,
  PublisherTrack,
} from './publisher-types.ts';
import { describeTrack, uniqueName } from './track-description.ts';

type Ended = Extract<PublisherState, { name: 'ended' }>;

/** More than this waiting on the connection holds `write` up. */
const maxWaitingBytes = 2 << 20;
const lookMs = 20;

/**
 * Publishes one broadcast to a live input over MoQT until it is finished or closed, or the stream key is refused; recovers
 * from everything else. Media comes as an fMP4 byte stream (`write`) or as CMAF tracks (`track`). Connects on the next
 * microtask. While the connection is away media is dropped, but for the newest group of each track.
 */
export class BroadcastPublisher {
  readonly #options: PublisherOptions;
  readonly #broadcast = new PublishedBroadcast(Date.now());
  readonly #splitter = new TrackSplitter();
  readonly #pace = new Pace();
  readonly #stop = new AbortController();
  readonly #ended = deferred<Ended>();
  readonly #running: Promise<void>;
  /** Names of the tracks of the byte stream, by track id. */
  #names = new Map<number, string>();
  readonly #taken = new Set<string>();
  #state: PublisherState = { name: 'connecting' };
  #session: PublisherSession | undefined;
  #sessions = 0;
  #wasLive = false;
  #finishing: Promise<void> | undefined;
  readonly #tally: FeedTally = newTally();
  #fragments = 0;
  /** Fragments that nobody was there for. */
  #untaken = 0;
  #bytes = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#running = Promise.resolve().then(() => this.#run());
  }

  get state(): PublisherState {
    return this.#state;
  }

  /** Settles once with the final state, never rejects. */
  get ended(): Promise<Ended> {
    return this.#ended.promise;
  }

  get stats(): PublisherStats {
    return {
      fragments: this.#fragments,
      bytes: this.#bytes,
      dropped: this.#tally.droppedObjects + this.#untaken,
      reconnects: Math.max(0, this.#sessions - 1),
    };
  }

  /**
   * Bytes of a fragmented MP4 (ftyp+moov, then moof+mdat …) with all tracks of the broadcast, cut anywhere. A new init
   * segment configures the tracks anew. Resolves when the connection has taken enough to go on, and for the first media when
   * somebody takes it. Rejects with MALFORMED, LIMIT_EXCEEDED, UNSUPPORTED, or what ended the publisher.
   */
  async write(bytes: Uint8Array): Promise<void> {
    this.#check();
    for (const piece of this.#splitter.push(bytes, Date.now())) {
      if (piece.kind === 'unit') {
        if (!this.#wasLive) await this.#until(() => this.#wasLive);
        if (this.#options.realtime === true)
          await delay(this.#pace.waitMs(piece.seconds, performance.now()), this.#stop.signal);
      }
      this.#take(piece);
    }
    await this.#until(() => (this.#session?.waitingBytes ?? 0) < maxWaitingBytes);
  }

  /** Adds a track by its init segment, which holds it alone, or configures the one of that name anew. Throws MALFORMED, UNSUPPORTED. */
  track(init: Uint8Array, name?: string): PublisherTrack {
    this.#check();
    const [parsed, ...more] = parseInitSegment(init);
    if (parsed === undefined || more.length > 0)
      throw new StreamsError('MALFORMED', 'not an init segment of one track');
    const description = describeTrack(parsed, name ?? uniqueName(parsed, this.#taken));
    this.#taken.add(description.name);
    this.#broadcast.describe([{ description, init }], { more: true });
    return { name: description.name, push: (fragment) => this.#push(description.name, parsed, fragment) };
  }

  /** Says that the broadcast is complete, and closes once that was said. Idempotent. */
  finish(): Promise<void> {
    this.#finishing ??= (async () => {
      this.#broadcast.end();
      await this.#session?.settled();
      this.#end('complete');
      await this.#running;
    })();
    return this.#finishing;
  }

  /** Ends with `closed_by_caller`: the input waits a moment for the publisher to come back. Idempotent. */
  async close(): Promise<void> {
    this.#end('closed_by_caller');
    await this.#running;
  }

  #take(piece: TrackPiece): void {
    if (piece.kind === 'unit') {
      const name = this.#names.get(piece.trackId);
      if (name !== undefined) this.#fragment(name, piece.bytes, piece);
      return;
    }
    const used = new Set<string>();
    const named = piece.inits.map(({ track, bytes }) => {
      // The first name stays: a change of size is a new group, not a new track.
      const before = this.#names.get(track.trackId);
      const kept = before?.startsWith(track.kind) && !used.has(before) ? before : undefined;
      const description = describeTrack(track, kept ?? uniqueName(track, used));
      used.add(description.name);
      return { trackId: track.trackId, description, init: bytes };
    });
    this.#names = new Map(named.map(({ trackId, description }) => [trackId, description.name]));
    this.#broadcast.describe(named, { more: false });
  }

  #push(name: string, { trackId, timescale, kind, defaults }: ParsedTrack, bytes: Uint8Array): void {
    this.#check();
    const known: TrackDefaults = new Map([[trackId, defaults]]);
    const run = parseFragment(bytes, known).tracks.find((track) => track.trackId === trackId);
    if (run === undefined) throw new StreamsError('MALFORMED', `the fragment has nothing of track ${trackId}`);
    const keyframe = kind === 'audio' || run.samples[0]?.keyframe === true;
    this.#fragment(name, bytes, { keyframe, seconds: run.baseMediaDecodeTime / timescale });
  }

  #fragment(name: string, bytes: Uint8Array, at: { keyframe: boolean; seconds: number }): void {
    this.#fragments++;
    this.#bytes += bytes.length;
    if (this.#wasLive && this.#state.name !== 'live') this.#untaken++;
    this.#broadcast.fragment(name, bytes, at);
  }

  /** Throws what ended it. */
  #check(): void {
    if (this.#state.name !== 'ended') return;
    throw this.#state.error ?? new StreamsError('INTERRUPTED', 'the publisher was closed');
  }

  async #until(condition: () => boolean): Promise<void> {
    for (this.#check(); !condition(); this.#check()) await delay(lookMs, this.#stop.signal);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    let attempt = 0;
    while (!signal.aborted) {
      let establishedAt: number | undefined;
      let error: StreamsError;
      try {
        const session = await this.#connect();
        establishedAt = performance.now();
        this.#sessions++;
        error = await this.#follow(session);
      } catch (thrown) {
        error = toStreamsError(thrown);
      }
      if (signal.aborted) return;
      if (isFinal(error)) return this.#end(error.code === 'UNAUTHORIZED' ? 'auth_failed' : 'network', error);
      attempt = wasGood(establishedAt) ? 1 : attempt + 1;
      if (attempt >= (this.#options.maxAttempts ?? Number.POSITIVE_INFINITY)) return this.#end('network', error);
      const retryInMs = backoffMs(attempt, Math.random());
      this.#setState({ name: 'reconnecting', attempt, retryInMs, error });
      await delay(retryInMs, signal);
    }
  }

  async #connect(): Promise<{ session: Session; publishing: PublisherSession }> {
    const { url: given, connect = browserConnector(), connectTimeoutMs: timeoutMs = 10_000 } = this.#options;
    const url = typeof given === 'string' ? given : await given();
    if (!URL.canParse(url)) throw new StreamsError('USAGE', 'the URL to publish to is not a URL');
    const { pathname, search, host } = new URL(url);
    const transport = await openTransport(connect, url, timeoutMs, this.#stop.signal);
    const abort = () => transport.close({ code: sessionCodes.noError, reason: '' });
    this.#stop.signal.addEventListener('abort', abort, { once: true });
    if (this.#stop.signal.aborted) abort();
    const publishing = new PublisherSession(this.#broadcast, transport, (live) => this.#isTaken(live), this.#tally);
    try {
      const session = await establish(transport, {
        role: 'client',
        setupTimeoutMs: timeoutMs,
        path: pathname + search,
        authority: host,
        handlers: publishing.handlers,
        fault: this.#options.onFault ?? reportFault,
      });
      // What follows the root that the relay gives the session: any name will do.
      const name = pathname.split('/').at(-1) || 'broadcast';
      const announced = await session.publishNamespace([name]);
      void announced.ended.then(() => session.close(sessionCodes.noError, ''));
      return { session, publishing };
    } catch (error) {
      transport.close({ code: sessionCodes.noError, reason: '' });
      throw publishRefusal(await transport.closed) ?? error;
    } finally {
      this.#stop.signal.removeEventListener('abort', abort);
    }
  }

  /** One session, to its end; answers why it ended. */
  async #follow({ session, publishing }: { session: Session; publishing: PublisherSession }): Promise<StreamsError> {
    const { signal } = this.#stop;
    const close = () => session.close(sessionCodes.noError, this.#state.name === 'ended' ? this.#state.reason : '');
    signal.addEventListener('abort', close, { once: true });
    if (signal.aborted) close();
    void session.goaway.then(() => session.close(sessionCodes.noError, 'leaving as asked'));
    this.#session = publishing;
    if (this.#state.name !== 'live') this.#setState({ name: 'waiting' });
    const closed = await session.closed;
    signal.removeEventListener('abort', close);
    this.#session = undefined;
    const reason = closed.reason === '' ? '' : `: ${closed.reason}`;
    return (
      publishRefusal(closed) ?? new StreamsError('TRANSPORT_CLOSED', `the connection to the relay was lost${reason}`)
    );
  }

  #isTaken(live: boolean): void {
    if (live) this.#wasLive = true;
    if (!live && this.#finishing !== undefined) return;
    if (live !== (this.#state.name === 'live')) this.#setState({ name: live ? 'live' : 'waiting' });
  }

  #setState(state: PublisherState): void {
    if (this.#state.name === 'ended') return;
    this.#state = state;
    this.#options.onState?.(state);
  }

  #end(reason: PublisherEndReason, error?: StreamsError): void {
    if (this.#state.name === 'ended') return;
    const state: Ended = { name: 'ended', reason, ...(error !== undefined && { error }) };
    this.#setState(state);
    this.#ended.resolve(state);
    this.#stop.abort();
  }
}

/** What no further attempt would change. */
function isFinal({ code }: StreamsError): boolean {
  return ['UNAUTHORIZED', 'NOT_FOUND', 'UNSUPPORTED', 'MALFORMED', 'USAGE', 'INVALID_ARGUMENT'].includes(code);
}
