import { encodeAuthToken } from '../codec/moqt/auth-token.ts';
import { sessionCodes } from '../codec/moqt/codes.ts';
import type { Setup } from '../codec/moqt/control/setup.ts';
import type { Dialect, ObjectDialect } from '../codec/moqt/dialect.ts';
import type { Message } from '../codec/moqt/message.ts';
import { MoqtError, protocolViolation } from '../codec/moqt/moqt-error.ts';
import { boundedReason } from '../codec/moqt/wire.ts';
import { fromUtf8 } from '../core/bytes.ts';
import { deferred } from '../core/deferred.ts';
import { StreamsError } from '../core/errors.ts';
import type { Transport, TransportClose } from '../transport/transport.ts';
import { AuthTokens, maxAuthTokenCacheSize } from './auth-tokens.ts';
import type { SessionContext, SessionMember } from './context.ts';
import type { ControlChannel } from './control-channel.ts';
import { messagesOf } from './control-messages.ts';
import { DataStreams } from './data-streams.ts';
import { Fetcher } from './fetcher.ts';
import { openChannel } from './open-channel.ts';
import { subscribeNamespace, subscribeTracks } from './prefix-subscription.ts';
import { publishNamespace } from './published-namespace.ts';
import { Publisher } from './publisher.ts';
import { maxFilterRanges } from './refused-filter.ts';
import { RequestIds } from './request-ids.ts';
import { Requests } from './requests.ts';
import { readPeerSetup, setupCarriesPath } from './setup-rules.ts';
import type { SessionEvent, SessionState } from './state.ts';
import { advance } from './state.ts';
import { Subscriber } from './subscriber.ts';
import { trackStatus } from './track-status.ts';
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
  PublishOffer,
  Session,
  SessionClose,
  SessionHandlers,
  SubscribeOptions,
  Subscription,
  TrackName,
  TrackStatus,
  TracksOptions,
} from './types.ts';

const implementation = 'streams';
const closeGraceMs = 100;
/** A packet must be larger than the stateless reset it provokes: 22 bytes at least (RFC 9000 10.3). */
const probeBytes = 32;

/** A MoQT conversation; its dialect and its control channel know the version. */
export class MoqSession implements Session {
  readonly transport: Transport;
  readonly version: string;
  readonly objects: ObjectDialect;
  readonly #options: EstablishOptions;
  readonly #context: SessionContext;
  readonly #channel: ControlChannel;
  readonly #subscriber: Subscriber;
  readonly #fetcher: Fetcher;
  readonly #publisher: Publisher;
  readonly #live = new Set<SessionMember>();
  readonly #opened = deferred<boolean>();
  readonly #closed = deferred<SessionClose>();
  readonly #goaway = deferred<{ uri: string; timeoutMs: number }>();
  #state: SessionState = { name: 'connecting' };
  #handlers: SessionHandlers;
  /** What made us close. */
  #failure: StreamsError | undefined;
  #setupTimer: ReturnType<typeof setTimeout> | undefined;
  #controlSeen = false;
  #draining = false;
  #peerSetup: Setup = { type: 'setup' };

  constructor(transport: Transport, dialect: Dialect, options: EstablishOptions) {
    this.transport = transport;
    this.version = dialect.version;
    this.objects = dialect;
    this.#options = options;
    this.#handlers = options.handlers ?? {};
    const { role } = options;
    const requestIds = new RequestIds(role);
    const fail = (error: unknown): void => this.#fail(error);
    const control = (messages: AsyncIterable<Message>): Promise<void> => this.#readControl(messages);
    this.#channel = openChannel({ transport, dialect, role, requestIds, control, fail });
    this.#context = {
      transport,
      dialect,
      requestIds,
      authTokens: new AuthTokens(dialect.varints),
      channel: this.#channel,
      opened: this.#opened.promise,
      live: this.#live,
      maxUpdates: () => this.#peerSetup.maxRequestUpdates ?? 0,
      maxFilterRanges: () => (dialect.rangeFilters === true ? (this.#peerSetup.maxFilterRanges ?? 0) : 0),
      isDraining: () => this.#draining,
      isOpen: () => this.#state.name === 'open' || this.#state.name === 'leaving',
      carriesHops: () => this.#hopId !== undefined && this.#peer.hopId !== undefined,
      hopId: options.hopId ?? 0n,
      handlers: () => this.#handlers,
      fail,
    };
    this.#subscriber = new Subscriber(this.#context);
    this.#fetcher = new Fetcher(this.#context);
    this.#publisher = new Publisher(this.#context);
  }

  get peer(): PeerSetup {
    return this.#peer;
  }
  #peer: PeerSetup = { path: '', authority: '', implementation: '', tokens: [] };

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
    return this.#fetcher.fetch(target, options);
  }

  publishNamespace(namespace: readonly string[], hops?: Hops): Promise<PublishedNamespace> {
    return publishNamespace(this.#context, namespace, hops);
  }

  trackStatus(track: TrackName): Promise<TrackStatus> {
    return trackStatus(this.#context, track);
  }

  publish(track: TrackName, offer: PublishOffer): Promise<Publication> {
    return this.#publisher.publish(track, offer);
  }

  subscribeNamespace(prefix: readonly string[]): Promise<PrefixSubscription<NamespaceEvent>> {
    return subscribeNamespace(this.#context, prefix);
  }

  subscribeTracks(prefix: readonly string[], options?: TracksOptions): Promise<PrefixSubscription<TrackName>> {
    return subscribeTracks(this.#context, prefix, options);
  }

  probe(): void {
    const padding = this.#context.isOpen() ? this.#context.dialect.encodePaddingDatagram?.(probeBytes) : undefined;
    if (padding !== undefined) this.transport.sendDatagram(padding);
  }

  sendGoaway(options: { uri?: string; timeoutMs?: number } = {}): void {
    const { uri = '', timeoutMs = 0 } = options;
    if (this.#draining || !this.#context.isOpen()) return;
    if (uri !== '' && this.#options.role === 'client')
      throw new StreamsError('INVALID_ARGUMENT', 'a client cannot send its server elsewhere');
    const { firstUnseen: requestId } = this.#context.requestIds;
    this.#channel.send({ type: 'goaway', uri, timeoutMs, requestId });
    this.#draining = true;
  }

  close(code: number, reason: string): void {
    this.transport.close({ code, reason: fromUtf8(boundedReason(reason)) });
  }

  /** Exchanges SETUPs; resolves once open. */
  async establish(): Promise<void> {
    void this.transport.closed.then((close) => this.#onClosed(close));
    const { role, authorise, setupTimeoutMs = 10_000 } = this.#options;
    this.#setupTimer = setTimeout(() => this.#timedOut(setupTimeoutMs), setupTimeoutMs);
    // A server that decides who may come says so with its SETUP: the client's `establish` then fails, not its first request.
    if (role === 'client' || authorise === undefined) this.#sendSetup();
    const streams = new DataStreams(this.#context, this.#subscriber, this.#fetcher, (stream, head) =>
      this.#readControl(messagesOf(stream, head, this.#context.dialect)),
    );
    void streams.run();
    void streams.runDatagrams();
    void new Requests(this.#context, this.#publisher, this.#subscriber).run();
    if (!(await this.#opened.promise)) throw this.#whyNotOpened();
  }

  /** draft-lcurley-moq-cluster: the option is in the SETUP that drafts have since 17. */
  get #hopId(): bigint | undefined {
    return this.#context.dialect.requestStreams === 'perRequest' ? this.#options.hopId : undefined;
  }

  #sendSetup(): void {
    const { role, path, authority, tokens = [] } = this.#options;
    const { varints } = this.#context.dialect;
    const hopId = role === 'client' || this.#peer.hopId !== undefined ? this.#hopId : undefined;
    const carries = role === 'client' && setupCarriesPath(this.transport.kind);
    this.#channel.send({
      type: 'setup',
      implementation,
      maxAuthTokenCacheSize,
      ...(this.#context.dialect.rangeFilters === true && { maxFilterRanges }),
      authorizationTokens: tokens.map((token) => encodeAuthToken(varints, { kind: 'useValue', token })),
      ...(carries && path !== undefined && path !== '' && { path }),
      ...(carries && authority !== undefined && { authority }),
      ...(hopId !== undefined && { hopId }),
    });
  }

  /** The peer's control stream, for as long as the session lives (draft-18 3.3). */
  async #readControl(messages: AsyncIterable<Message>): Promise<void> {
    if (this.#controlSeen) throw protocolViolation('a second control stream');
    this.#controlSeen = true;
    let how = 'closed';
    try {
      for await (const message of messages) await this.#onControlMessage(message);
    } catch (error) {
      if (!(error instanceof StreamsError) || error.code !== 'STREAM_RESET') throw error;
      how = 'reset';
    }
    // A closing session takes its streams along, and chance decides which of the two is heard first.
    await settledWithin(this.transport.closed, closeGraceMs);
    throw protocolViolation(`control stream ${how}`);
  }

  async #onControlMessage(message: Message): Promise<void> {
    switch (message.type) {
      case 'setup': {
        const peer = {
          ...readPeerSetup(message, this.transport, this.#options.role),
          tokens: this.#context.authTokens.ofSetup(message.authorizationTokens),
        };
        this.#peerSetup = message;
        this.#advance({ type: 'setup', peer });
        this.#peer = peer;
        await this.#authorise(peer);
        return;
      }
      case 'goaway':
        if (this.#options.role === 'server' && message.uri !== '')
          throw protocolViolation('GOAWAY of a client has a URI');
        if (message.requestId !== undefined) this.#context.requestIds.checkOurs(message.requestId);
        else if (this.#context.dialect.goawayWithoutRequestId !== true)
          throw protocolViolation('GOAWAY without a request id');
        this.#advance({ type: 'goaway', uri: message.uri, timeoutMs: message.timeoutMs });
        this.#goaway.resolve({ uri: message.uri, timeoutMs: message.timeoutMs });
        return;
      default:
        throw protocolViolation(`${message.type} on the control stream`);
    }
  }

  async #authorise(peer: PeerSetup): Promise<void> {
    const { authorise } = this.#options;
    if (authorise !== undefined) {
      try {
        this.#handlers = await authorise(peer);
      } catch (error) {
        if (!(error instanceof StreamsError)) throw error;
        throw new MoqtError(sessionCodes.unauthorized, error.message, { code: error.code, cause: error });
      }
      if (this.#state.name === 'closed') return;
      this.#sendSetup();
    }
    clearTimeout(this.#setupTimer);
    this.#advance({ type: 'authorised' });
    this.#opened.resolve(true);
  }

  #timedOut(ms: number): void {
    this.#failure = new StreamsError('TIMEOUT', `no MoQT session within ${ms} ms`);
    const theirs = this.#state.name === 'connecting';
    this.close(theirs ? sessionCodes.controlMessageTimeout : sessionCodes.internalError, this.#failure.message);
  }

  #advance(event: SessionEvent): void {
    this.#state = advance(this.#state, event);
  }

  #fail(error: unknown): void {
    if (this.#state.name === 'closed') return;
    if (error instanceof MoqtError) {
      this.#failure ??= error;
      this.close(error.sessionCode, error.message);
    } else if (!isLoss(error)) {
      this.#failure ??= new StreamsError('INTERNAL', 'the session failed', { cause: error });
      this.close(sessionCodes.internalError, 'internal error');
    }
  }

  #onClosed(close: TransportClose): void {
    clearTimeout(this.#setupTimer);
    this.#advance({ type: 'closed', close });
    this.#opened.resolve(false);
    for (const member of [...this.#live]) member.sessionEnded(close);
    this.#subscriber.sessionEnded();
    this.#closed.resolve(close);
  }

  #whyNotOpened(): StreamsError {
    if (this.#failure !== undefined) return this.#failure;
    const close = this.#state.name === 'closed' ? this.#state.close : undefined;
    if (close?.by === 'peer' && close.code === sessionCodes.unauthorized)
      return new StreamsError('UNAUTHORIZED', close.reason === '' ? 'refused by the server' : close.reason);
    const code = close === undefined ? '' : ` (code 0x${close.code.toString(16)})`;
    return new StreamsError('TRANSPORT_CLOSED', `the session closed before it was open${code}: ${close?.reason ?? ''}`);
  }
}

function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    void promise.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** A stream or the connection went away: nobody's fault. */
function isLoss(error: unknown): boolean {
  return error instanceof StreamsError && (error.code === 'STREAM_RESET' || error.code === 'TRANSPORT_CLOSED');
}
