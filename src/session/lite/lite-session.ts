import { sessionCodes } from '../../codec/moqt/codes.ts';
import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import { withSubscribeId } from '../../codec/moqt/lite/datagram.ts';
import { goaway } from '../../codec/moqt/lite/goaway.ts';
import { encodeMessage } from '../../codec/moqt/lite/message.ts';
import { liteObjects } from '../../codec/moqt/lite/objects.ts';
import { setup } from '../../codec/moqt/lite/setup.ts';
import { dataTypes, requestTypes, withStreamType } from '../../codec/moqt/lite/stream-types.ts';
import { trackPropertiesOf } from '../../codec/moqt/lite/timestamp.ts';
import { hasTrackInfo, type LiteVersion } from '../../codec/moqt/lite/version.ts';
import { MoqtError, protocolViolation } from '../../codec/moqt/moqt-error.ts';
import { boundedReason } from '../../codec/moqt/wire.ts';
import { fromUtf8 } from '../../core/bytes.ts';
import { deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import type { Transport, TransportClose } from '../../transport/transport.ts';
import type { SessionMember } from '../context.ts';
import { readPeerSetup, setupCarriesPath } from '../setup-rules.ts';
import { controlStreamPriority } from '../stream-priority.ts';
import type {
  EstablishOptions,
  FetchedObjects,
  FetchOptions,
  FetchTarget,
  Hops,
  NamespaceEvent,
  PeerSetup,
  PrefixSubscription,
  Publication,
  PublishedNamespace,
  Session,
  SessionClose,
  SessionHandlers,
  SubscribeOptions,
  Subscription,
  TrackName,
  TrackStatus,
} from '../types.ts';
import { takeNamespaces, watchAnnouncements } from './announce-watch.ts';
import { probeLevel } from './answer-probe.ts';
import type { LiteContext } from './context.ts';
import { IncomingStreams } from './incoming-streams.ts';
import { fetchGroups } from './lite-fetch.ts';
import { type LiteReader, openRequest } from './lite-stream.ts';
import { checkTokens, LiteSubscriber } from './lite-subscriber.ts';
import { OwnNamespaces } from './own-namespaces.ts';

/** A packet must be larger than the stateless reset it provokes: 22 bytes at least (RFC 9000 10.3). */
const probeBytes = 32;
/** Of no subscription: such a datagram is dropped silently. */
const nobodysId = 2 ** 30 - 1;

/**
 * A conversation in moq-lite-04 or -05 (draft-lcurley-moq-lite): same streams as MoQT, fewer words. What it has no word for is
 * refused with UNSUPPORTED; objects lose their properties other than TIMESTAMP, and statuses are not sent.
 */
export class LiteSession implements Session {
  readonly transport: Transport;
  readonly version: LiteVersion;
  readonly objects: ObjectDialect;
  readonly #options: EstablishOptions;
  readonly #context: LiteContext;
  readonly #subscriber: LiteSubscriber;
  readonly #own: OwnNamespaces;
  readonly #live = new Set<SessionMember>();
  readonly #opened = deferred<boolean>();
  readonly #closed = deferred<SessionClose>();
  readonly #goaway = deferred<{ uri: string; timeoutMs: number }>();
  #state: 'connecting' | 'authorising' | 'open' | 'closed' = 'connecting';
  #close: SessionClose | undefined;
  #handlers: SessionHandlers;
  /** What made us close. */
  #failure: StreamsError | undefined;
  #setupTimer: ReturnType<typeof setTimeout> | undefined;
  #setupSeen = false;
  #draining = false;
  #peer: PeerSetup = { path: '', authority: '', implementation: '', tokens: [] };

  constructor(transport: Transport, version: LiteVersion, options: EstablishOptions) {
    this.transport = transport;
    this.version = version;
    this.objects = liteObjects[version];
    this.#options = options;
    this.#handlers = options.handlers ?? {};
    this.#context = {
      transport,
      version,
      hopId: options.hopId ?? 0n,
      opened: this.#opened.promise,
      live: this.#live,
      isOpen: () => this.#state === 'open',
      isDraining: () => this.#draining,
      handlers: () => this.#handlers,
      fail: (error) => this.#fail(error),
    };
    this.#subscriber = new LiteSubscriber(this.#context);
    this.#own = new OwnNamespaces(this.#context);
  }

  get peer(): PeerSetup {
    return this.#peer;
  }
  get closed(): Promise<SessionClose> {
    return this.#closed.promise;
  }
  get goaway(): Promise<{ uri: string; timeoutMs: number }> {
    return this.#goaway.promise;
  }

  subscribe(track: TrackName, options?: SubscribeOptions): Promise<Subscription> {
    return this.#subscriber.subscribe(track, options);
  }

  fetch(target: FetchTarget, options?: FetchOptions): Promise<FetchedObjects> {
    return fetchGroups(this.#context, this.#subscriber, target, options);
  }

  async trackStatus(track: TrackName): Promise<TrackStatus> {
    if (!hasTrackInfo(this.version)) throw unsupported('no TRACK_STATUS');
    const info = await this.#subscriber.trackInfo(track);
    return { largest: undefined, expiresMs: undefined, trackProperties: trackPropertiesOf(info) };
  }

  async publish(): Promise<Publication> {
    throw unsupported('no PUBLISH: subscribers ask for tracks');
  }

  async publishNamespace(namespace: readonly string[], hops?: Hops): Promise<PublishedNamespace> {
    return this.#own.publish(namespace, hops);
  }

  subscribeNamespace(prefix: readonly string[]): Promise<PrefixSubscription<NamespaceEvent>> {
    return watchAnnouncements(this.#context, prefix);
  }

  async subscribeTracks(): Promise<PrefixSubscription<TrackName>> {
    throw unsupported('no SUBSCRIBE_TRACKS');
  }

  probe(): void {
    if (this.#state !== 'open' || !hasTrackInfo(this.version) || this.transport.kind === 'qmux') return;
    const datagram = withSubscribeId(nobodysId, new Uint8Array(probeBytes));
    if (datagram !== undefined) this.transport.sendDatagram(datagram);
  }

  /** moq-lite has no word for `timeoutMs`. */
  sendGoaway({ uri = '' }: { uri?: string; timeoutMs?: number } = {}): void {
    if (this.#draining || this.#state !== 'open') return;
    if (uri !== '' && this.#options.role === 'client')
      throw new StreamsError('INVALID_ARGUMENT', 'a client cannot send its server elsewhere');
    openRequest(this.#context, requestTypes.goaway, goaway, { uri });
    this.#draining = true;
  }

  close(code: number, reason: string): void {
    this.transport.close({ code, reason: fromUtf8(boundedReason(reason)) });
  }

  /** Resolves once open: with moq-lite-05 both SETUPs are there, -04 has none. */
  async establish(): Promise<void> {
    void this.transport.closed.then((close) => this.#onClosed(close));
    const { role, authorise, setupTimeoutMs = 10_000 } = this.#options;
    try {
      this.#checkOptions();
    } catch (error) {
      this.close(sessionCodes.internalError, '');
      throw error;
    }
    this.#setupTimer = setTimeout(() => this.#timedOut(setupTimeoutMs), setupTimeoutMs);
    // A server that decides who may come says so with its SETUP: the client's `establish` then fails, not its first request.
    if (role === 'client' || authorise === undefined) this.#sendSetup();
    new IncomingStreams(this.#context, {
      subscriber: this.#subscriber,
      own: this.#own,
      onSetup: (reader) => this.#onSetup(reader),
      onGoaway: (uri) => this.#goaway.resolve({ uri: role === 'client' ? uri : '', timeoutMs: 0 }),
    }).run();
    if (!hasTrackInfo(this.version)) {
      const path = role === 'server' ? this.transport.path : '';
      this.#authorise({ path, authority: '', implementation: '', tokens: [] }).catch((error) => this.#fail(error));
    }
    if (!(await this.#opened.promise)) throw this.#whyNotOpened();
  }

  /** Throws UNSUPPORTED for what would be lost on the way. */
  #checkOptions(): void {
    const { role, path = '', tokens = [] } = this.#options;
    checkTokens(tokens);
    const lost = role === 'client' && this.transport.kind === 'quic' && path !== '' && path !== '/';
    if (lost && !hasTrackInfo(this.version)) throw unsupported('no path on raw QUIC before moq-lite-05');
  }

  #sendSetup(): void {
    if (!hasTrackInfo(this.version)) return;
    const { role, path, hopId } = this.#options;
    const carries = role === 'client' && setupCarriesPath(this.transport.kind);
    const message = {
      probe: probeLevel(this.transport),
      ...(carries && path !== undefined && path !== '' && { path }),
      ...(hopId !== undefined && hopId !== 0n && { hopId }),
    };
    const bytes = withStreamType(dataTypes.setup, encodeMessage(setup, message, this.version));
    const stream = this.transport.openUni({ priority: controlStreamPriority });
    stream.write(bytes);
    stream.finish();
  }

  async #onSetup(reader: LiteReader): Promise<void> {
    if (this.#setupSeen) throw protocolViolation('a second SETUP');
    this.#setupSeen = true;
    const message = await reader.message(setup);
    if (message === null) throw protocolViolation('a setup stream without SETUP');
    this.#expectEnd(reader).catch((error) => this.#fail(error));
    const { path, hopId } = message;
    const peer = readPeerSetup(
      { type: 'setup', ...(path !== undefined && path !== '' && { path }) },
      this.transport,
      this.#options.role,
    );
    await this.#authorise({ ...peer, tokens: [], ...(hopId !== undefined && { hopId }) });
  }

  async #expectEnd(reader: LiteReader): Promise<void> {
    if ((await reader.varint()) !== null) throw protocolViolation('more than SETUP on a setup stream');
  }

  async #authorise(peer: PeerSetup): Promise<void> {
    if (this.#state !== 'connecting') return;
    this.#state = 'authorising';
    this.#peer = peer;
    const { authorise } = this.#options;
    if (authorise !== undefined) {
      try {
        this.#handlers = await authorise(peer);
      } catch (error) {
        if (!(error instanceof StreamsError)) throw error;
        throw new MoqtError(sessionCodes.unauthorized, error.message, { code: error.code, cause: error });
      }
      if (this.#isClosed) return;
      this.#sendSetup();
    }
    clearTimeout(this.#setupTimer);
    this.#state = 'open';
    this.#opened.resolve(true);
    const { publishNamespace } = this.#handlers;
    if (publishNamespace !== undefined) void takeNamespaces(this.#context, publishNamespace);
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #timedOut(ms: number): void {
    this.#failure = new StreamsError('TIMEOUT', `no moq-lite session within ${ms} ms`);
    const theirs = this.#state === 'connecting';
    this.close(theirs ? sessionCodes.controlMessageTimeout : sessionCodes.internalError, this.#failure.message);
  }

  #fail(error: unknown): void {
    if (this.#state === 'closed') return;
    if (error instanceof MoqtError) {
      this.#failure ??= error;
      this.close(error.sessionCode, error.message);
    } else if (
      !(error instanceof StreamsError && (error.code === 'STREAM_RESET' || error.code === 'TRANSPORT_CLOSED'))
    ) {
      this.#failure ??= new StreamsError('INTERNAL', 'the session failed', { cause: error });
      this.close(sessionCodes.internalError, 'internal error');
    }
  }

  #onClosed(close: TransportClose): void {
    clearTimeout(this.#setupTimer);
    this.#state = 'closed';
    this.#close = close;
    this.#opened.resolve(false);
    for (const member of [...this.#live]) member.sessionEnded(close);
    this.#closed.resolve(close);
  }

  #whyNotOpened(): StreamsError {
    if (this.#failure !== undefined) return this.#failure;
    const { by, code = 0, reason = '' } = this.#close ?? {};
    if (by === 'peer' && code === sessionCodes.unauthorized)
      return new StreamsError('UNAUTHORIZED', reason === '' ? 'refused by the server' : reason);
    const shown = `(code 0x${code.toString(16)}): ${reason}`;
    return new StreamsError('TRANSPORT_CLOSED', `the session closed before it was open ${shown}`);
  }
}

function unsupported(what: string): StreamsError {
  return new StreamsError('UNSUPPORTED', `moq-lite has ${what}`);
}
