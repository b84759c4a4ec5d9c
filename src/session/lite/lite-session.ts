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
import { protocolViolation } from '../../codec/moqt/moqt-error.ts';
import { StreamsError } from '../../core/errors.ts';
import { transportPriorities } from '../../core/send-order.ts';
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
  Session,
  SessionClose,
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
  readonly #life: SessionLife;
  #setupSeen = false;

  constructor(transport: Transport, version: LiteVersion, options: EstablishOptions) {
    this.transport = transport;
    this.version = version;
    this.objects = liteObjects[version];
    this.#options = options;
    this.#life = new SessionLife(transport, options);
    const life = this.#life;
    this.#context = {
      transport,
      version,
      hopId: options.hopId ?? 0n,
      opened: life.opened,
      live: life.live,
      isOpen: () => life.isOpen,
      isDraining: () => life.isDraining,
      handlers: () => life.handlers,
      fail: (error) => life.fail(error),
      guard: (run) => life.guard(run),
    };
    this.#subscriber = new LiteSubscriber(this.#context);
    this.#own = new OwnNamespaces(this.#context);
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
    if (!this.#life.isOpen || !hasTrackInfo(this.version) || this.transport.kind === 'qmux') return;
    const datagram = withSubscribeId(nobodysId, new Uint8Array(probeBytes));
    if (datagram !== undefined) this.transport.sendDatagram(datagram);
  }

  /** moq-lite has no word for `timeoutMs`. */
  sendGoaway({ uri = '' }: { uri?: string; timeoutMs?: number } = {}): void {
    if (!this.#life.drain(uri)) return;
    openRequest(this.#context, requestTypes.goaway, goaway, { uri });
  }

  close(code: number, reason: string): void {
    this.#life.close(code, reason);
  }

  fail(error: unknown): void {
    this.#life.fail(error);
  }

  /** Resolves once open: with moq-lite-05 both SETUPs are there, -04 has none. */
  async establish(): Promise<void> {
    const { role } = this.#options;
    this.#life.begin('moq-lite');
    this.#life.guard(async () => {
      if (await this.#life.opened) await this.#takeNamespaces();
    });
    try {
      this.#checkOptions();
    } catch (error) {
      this.close(sessionCodes.internalError, '');
      throw error;
    }
    if (this.#life.saysSetupFirst) this.#sendSetup();
    new IncomingStreams(this.#context, {
      subscriber: this.#subscriber,
      own: this.#own,
      onSetup: (reader) => this.#onSetup(reader),
      onGoaway: (uri) => this.#life.askedToLeave({ uri: role === 'client' ? uri : '', timeoutMs: 0 }),
    }).run();
    if (!hasTrackInfo(this.version)) {
      const path = role === 'server' ? this.transport.path : '';
      this.#meet({ path, authority: '', implementation: '', tokens: [] }).catch((error) => this.#life.fail(error));
    }
    await this.#life.established();
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
    const stream = this.transport.openUni({ priority: transportPriorities.control });
    stream.write(bytes);
    stream.finish();
  }

  async #onSetup(reader: LiteReader): Promise<void> {
    if (this.#setupSeen) throw protocolViolation('a second SETUP');
    this.#setupSeen = true;
    const message = await reader.message(setup);
    if (message === null) throw protocolViolation('a setup stream without SETUP');
    this.#expectEnd(reader).catch((error) => this.#life.fail(error));
    const { path, hopId } = message;
    const peer = readPeerSetup(
      { type: 'setup', ...(path !== undefined && path !== '' && { path }) },
      this.transport,
      this.#options.role,
    );
    await this.#meet({ ...peer, tokens: [], ...(hopId !== undefined && { hopId }) });
  }

  async #expectEnd(reader: LiteReader): Promise<void> {
    if ((await reader.varint()) !== null) throw protocolViolation('more than SETUP on a setup stream');
  }

  #meet(peer: PeerSetup): Promise<void> {
    return this.#life.meet(peer, () => this.#sendSetup());
  }

  async #takeNamespaces(): Promise<void> {
    const { publishNamespace } = this.#life.handlers;
    if (publishNamespace !== undefined) await takeNamespaces(this.#context, publishNamespace);
  }
}

function unsupported(what: string): StreamsError {
  return new StreamsError('UNSUPPORTED', `moq-lite has ${what}`);
}
