import type { Dialect, ObjectDialect } from '../../codec/moqt/dialect.ts';
import { encodeAuthToken } from '../../codec/moqt/fields/auth-token.ts';
import type { Message } from '../../codec/moqt/message.ts';
import { protocolViolation } from '../../codec/moqt/moqt-error.ts';
import type { ItemSource } from '../../transport/decoded-stream.ts';
import { deliverAll } from '../../transport/deliver.ts';
import { StreamResetError } from '../../transport/stream-reset-error.ts';
import type { Transport } from '../../transport/transport.ts';
import { SessionLife } from '../session-life.ts';
import { readPeerSetup, setupCarriesPath } from '../setup-rules.ts';
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
  SubscribeOptions,
  Subscription,
  TrackName,
  TrackStatus,
  TracksOptions,
} from '../types.ts';
import { AuthTokens, maxAuthTokenCacheSize } from './auth-tokens.ts';
import { Consumer } from './consumer.ts';
import type { SessionContext } from './context.ts';
import type { ControlChannel, ControlChannelParts } from './control-channel.ts';
import { SharedControl } from './control-multiplex/shared-control.ts';
import { DataStreams } from './data-streams.ts';
import type { MessageStream } from './message-stream.ts';
import { subscribeNamespace, subscribeTracks } from './namespaces/prefix-subscription.ts';
import { publishNamespace } from './namespaces/published-namespace.ts';
import { Publisher } from './publish/publisher.ts';
import { RequestIds } from './request-ids.ts';
import { maxFilterRanges } from './requests/refused-filter.ts';
import { Requests } from './requests/requests.ts';
import { trackStatus } from './requests/track-status.ts';
import { StreamPerRequest } from './stream-per-request.ts';

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
  readonly #consumer: Consumer;
  readonly #publisher: Publisher;
  readonly #requests: Requests;
  readonly #streams: DataStreams;
  readonly #life: SessionLife;
  #controlSeen = false;
  #maxUpdates = 0;
  #maxFilterRanges = 0;

  constructor(transport: Transport, dialect: Dialect, options: EstablishOptions) {
    this.transport = transport;
    this.version = dialect.version;
    this.objects = dialect;
    this.#options = options;
    this.#life = new SessionLife(transport, options);
    const life = this.#life;
    const { role } = options;
    const requestIds = new RequestIds(role);
    const fail = (error: unknown): void => life.fail(error);
    const control = (messages: ItemSource<Message>): void => this.#takeControl(messages);
    const request = (stream: MessageStream): void => this.#requests.take(stream);
    this.#channel = openChannel({ transport, dialect, role, requestIds, control, request, fail });
    this.#context = {
      transport,
      dialect,
      requestIds,
      authTokens: new AuthTokens(dialect.varints),
      channel: this.#channel,
      opened: life.opened,
      live: life.live,
      maxUpdates: () => this.#maxUpdates,
      maxFilterRanges: () => this.#maxFilterRanges,
      isDraining: () => life.isDraining,
      isOpen: () => life.isOpen,
      carriesHops: () => this.#hopId !== undefined && life.peer.hopId !== undefined,
      hopId: options.hopId ?? 0n,
      handlers: () => life.handlers,
      fail,
      guard: (run) => life.guard(run),
    };
    this.#consumer = new Consumer(this.#context);
    this.#publisher = new Publisher(this.#context);
    this.#requests = new Requests(this.#context, this.#publisher, this.#consumer);
    this.#streams = new DataStreams(this.#context, this.#consumer, control);
  }

  get peer(): PeerSetup {
    return this.#life.peer;
  }
  get closed(): Promise<SessionClose> {
    return this.#life.closed;
  }
  get goaway(): Promise<{ uri: string; timeoutMs: number }> {
    return this.#life.goaway;
  }

  subscribe(track: TrackName, options?: SubscribeOptions): Promise<Subscription> {
    return this.#consumer.subscriber.subscribe(track, options);
  }

  fetch(target: FetchTarget, options?: FetchOptions): Promise<FetchedObjects> {
    return this.#consumer.fetcher.fetch(target, options);
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
    const padding = this.#life.isOpen ? this.#context.dialect.encodePaddingDatagram?.(probeBytes) : undefined;
    if (padding !== undefined) this.transport.sendDatagram(padding);
  }

  sendGoaway(options: { uri?: string; timeoutMs?: number } = {}): void {
    const { uri = '', timeoutMs = 0 } = options;
    if (!this.#life.drain(uri)) return;
    const { firstUnseen: requestId } = this.#context.requestIds;
    this.#channel.send({ type: 'goaway', uri, timeoutMs, requestId });
  }

  close(code: number, reason: string): void {
    this.#life.close(code, reason);
  }

  fail(error: unknown): void {
    this.#life.fail(error);
  }

  /** Exchanges SETUPs; resolves once open. */
  async establish(): Promise<void> {
    this.#life.begin('MoQT');
    void this.#life.closed.then(() => this.#life.guard(() => this.#consumer.sessionEnded()));
    if (this.#life.saysSetupFirst) this.#sendSetup();
    deliverAll(this.transport, {
      uni: this.#life.guarded((stream) => this.#streams.take(stream)),
      bidi: this.#life.guarded((stream) => this.#channel.take(stream)),
      datagram: this.#life.guarded((bytes) => this.#streams.takeDatagram(bytes)),
    });
    await this.#life.established();
  }

  /** draft-lcurley-moq-cluster: the option is in the SETUP that drafts have since 17. */
  get #hopId(): bigint | undefined {
    return this.#context.dialect.requestStreams === 'perRequest' ? this.#options.hopId : undefined;
  }

  #sendSetup(): void {
    const { role, path, authority, relayCost, tokens = [] } = this.#options;
    const { varints } = this.#context.dialect;
    const hopId = role === 'client' || this.#life.peer.hopId !== undefined ? this.#hopId : undefined;
    const carries = role === 'client' && setupCarriesPath(this.transport.kind);
    this.#channel.send({
      type: 'setup',
      implementation,
      maxAuthTokenCacheSize,
      ...(this.#context.dialect.rangeFilters === true && { maxFilterRanges }),
      authorizationTokens: tokens.map((token) => encodeAuthToken(varints, { kind: 'useValue', token })),
      ...(carries && path !== undefined && path !== '' && { path }),
      ...(carries && authority !== undefined && { authority }),
      ...(hopId !== undefined && { hopId, ...(relayCost !== undefined && { relayCost }) }),
    });
  }

  /** The peer's control stream, for as long as the session lives (draft-18 3.3). */
  #takeControl(messages: ItemSource<Message>): void {
    if (this.#controlSeen) throw protocolViolation('a second control stream');
    this.#controlSeen = true;
    const end = (error: unknown): void => void this.#controlEnded(error);
    const taker = { item: (message: Message) => this.#onControlMessage(message), end };
    // What follows waits until the peer is authorised.
    this.#onSetup(messages).then((opened) => (opened ? messages.deliverTo(taker) : end(undefined)), end);
  }

  /** False: the stream ended before. */
  async #onSetup(messages: ItemSource<Message>): Promise<boolean> {
    const message = await messages.next();
    if (message === null) return false;
    if (message.type !== 'setup') throw protocolViolation(`${message.type} before SETUP`);
    const peer = {
      ...readPeerSetup(message, this.transport, this.#options.role),
      tokens: this.#context.authTokens.ofSetup(message.authorizationTokens),
    };
    this.#maxUpdates = message.maxRequestUpdates ?? 0;
    if (this.#context.dialect.rangeFilters === true) this.#maxFilterRanges = message.maxFilterRanges ?? 0;
    await this.#life.meet(peer, () => this.#sendSetup());
    return true;
  }

  async #controlEnded(error: unknown): Promise<void> {
    const isReset = error instanceof StreamResetError;
    if (error !== undefined && !isReset) {
      this.#life.fail(error);
      return;
    }
    // A closing session takes its streams along, and chance decides which of the two is heard first.
    await settledWithin(this.transport.closed, closeGraceMs);
    this.#life.fail(protocolViolation(`control stream ${isReset ? 'reset' : 'closed'}`));
  }

  #onControlMessage(message: Message): void {
    if (message.type === 'setup') throw protocolViolation('a second SETUP');
    if (message.type !== 'goaway') throw protocolViolation(`${message.type} on the control stream`);
    if (this.#options.role === 'server' && message.uri !== '') throw protocolViolation('GOAWAY of a client has a URI');
    if (message.requestId !== undefined) this.#context.requestIds.checkOurs(message.requestId);
    else if (this.#context.dialect.goawayWithoutRequestId !== true)
      throw protocolViolation('GOAWAY without a request id');
    this.#life.advance({ type: 'goaway', uri: message.uri, timeoutMs: message.timeoutMs });
    this.#life.askedToLeave({ uri: message.uri, timeoutMs: message.timeoutMs });
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

/** The channel that the dialect asks for. */
function openChannel(parts: ControlChannelParts): ControlChannel {
  return parts.dialect.requestStreams === 'perRequest' ? new StreamPerRequest(parts) : new SharedControl(parts);
}
