import type { Authoriser, Grant } from '../../access/grant.ts';
import { requestErrorCodes, sessionCodes } from '../../codec/moqt/codes.ts';
import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import { liteVersion } from '../../codec/moqt/lite/version.ts';
import { carriesCredential } from '../../contract/session-path.ts';
import { type Deferred, deferred } from '../../core/deferred.ts';
import { StreamsError, toStreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import { establish } from '../../session/establish.ts';
import type {
  IncomingFetch,
  IncomingNamespace,
  IncomingPrefix,
  IncomingPublish,
  IncomingSubscribe,
  IncomingTrackStatus,
  PeerSetup,
  Refusal,
  Session,
  SessionClose,
  SessionHandlers,
  TrackName,
} from '../../session/types.ts';
import type { Transport } from '../../transport/transport.ts';
import { sayable } from '../cannot-be-said.ts';
import { followPeer } from '../cluster/follow-peer.ts';
import { asksToJoin, isMember, memberGrant, noMember } from '../cluster/join.ts';
import { watchLink } from '../cluster/watch-link.ts';
import { fetchUnder } from '../fetch/lapsing-fetch.ts';
import type { RelayLimits } from '../limits.ts';
import { SessionTally } from '../reports/session-tally.ts';
import { asAuthFailed, authFailed, isAboutRights } from '../rights/auth-failed.ts';
import { type AskedTrack, grantForRequest, type RequestGrant, tokenOf } from '../rights/request-grant.ts';
import { isInternal, refusalToPublish, refusalToSubscribe } from '../rights/session-rights.ts';
import { refusalOfName } from '../rights/wire-names.ts';
import { type Discoverer, followNamespaces, followTracks, refusalOf } from '../routing/discovery.ts';
import { OfferedTrack } from '../routing/offered-track.ts';
import type { Router } from '../routing/router.ts';
import type { NamespacePublisher } from '../upstream/namespace-publisher.ts';
import { maxHops, type Peer, randomHop, routeBy } from '../upstream/route.ts';
import { ClaimedTracks } from './claimed-tracks.ts';
import { destination } from './goaway-destination.ts';
import { RequestCounts, retryMs, type SessionLimit } from './request-counts.ts';
import { rootedRequest, rootedSession } from './rooted.ts';

export type RelaySessionContext = {
  readonly authoriser: Authoriser;
  readonly router: Router;
  readonly limits: RelayLimits;
  /** Ours in hop lists. */
  readonly hopId: bigint;
  readonly logger: Logger;
  /** Told of each error of ours that ended a session. */
  fault(error: unknown): void;
};

/** A session that we opened to another relay of the cluster. */
export type Dialled = {
  readonly path: string;
  readonly authority: string;
  readonly cost?: number;
  opened?(session: Session): void;
};

/** Subscriptions, fetches and offers of another relay: it asks for all its viewers. */
const maxOfMember = 100_000;
/** One for every track, and for every group under way. */
const streamsOfMember = { uni: 4096, bidi: 4096 };

type Open = { readonly session: Session; readonly dialect: ObjectDialect; readonly peer: Peer };

/** One client of the relay: what it may do, and what it does. */
export class RelaySession {
  readonly #transport: Transport;
  readonly #context: RelaySessionContext;
  readonly #open: Deferred<Open> = deferred();
  readonly #tally: SessionTally;
  readonly #dialled: Dialled | undefined;
  /** The origin of what it announces, where it does not say. */
  readonly #ownHop = randomHop();
  #grant: Grant | undefined;
  #isOver = false;
  readonly #tracks = new ClaimedTracks();
  readonly #requests = new RequestCounts((limit) => this.#most(limit));

  constructor(transport: Transport, context: RelaySessionContext, dialled?: Dialled) {
    this.#transport = transport;
    this.#context = context;
    this.#dialled = dialled;
    this.#tally = new SessionTally(transport);
    this.#tally.limitObjects(context.limits, transport);
  }

  get kind(): Grant['kind'] | undefined {
    return this.#grant?.kind;
  }

  /** Resolves with how the session ended; `opened` is called once it is established. Throws what kept it from that. */
  async run(opened: () => void): Promise<SessionClose> {
    let reason = 'refused';
    try {
      const session = await this.#establish();
      const dialect = session.objects;
      if (this.isMember) this.#tally.becameMember();
      this.#tally.opened(performance.now());
      this.#grant?.opened?.({ version: session.version, figures: () => this.#tally.figures() });
      opened();
      const stopWatching = this.#grant?.watch((why) => session.close(sessionCodes.unauthorized, authFailed(why)));
      // What is said here goes before what the peer says.
      const cost = this.#dialled?.cost ?? session.peer.relayCost ?? 1;
      const peer: Peer = { isMember: this.isMember, id: session.peer.hopId || undefined, cost };
      this.#dialled?.opened?.(session);
      this.#open.resolve({ session, dialect, peer });
      if (this.isMember) this.#followPeer(session, peer);
      const close = await session.closed;
      stopWatching?.();
      reason = close.reason === '' ? close.by : close.reason;
      return close;
    } finally {
      this.#isOver = true;
      this.#grant?.over?.({ reason, ...this.#tally.figures() });
    }
  }

  #establish(): Promise<Session> {
    const { hopId, limits } = this.#context;
    const setupTimeoutMs = limits.handshakeMs;
    if (this.#dialled === undefined) {
      return establish(this.#transport, {
        role: 'server',
        setupTimeoutMs,
        hopId,
        fault: (error) => this.#context.fault(error),
        authorise: (peer) => this.#authorise(peer),
      });
    }
    this.#grant = memberGrant;
    const { path, authority, cost: relayCost } = this.#dialled;
    const handlers = this.#handlers(memberGrant);
    return establish(this.#transport, {
      role: 'client',
      setupTimeoutMs,
      hopId,
      path,
      authority,
      handlers,
      fault: (error) => this.#context.fault(error),
      ...(relayCost !== undefined && { relayCost }),
    });
  }

  /** Another relay of the cluster. */
  get isMember(): boolean {
    return isMember(this.#grant);
  }

  #followPeer(session: Session, peer: Peer): void {
    this.#transport.allowStreams?.(streamsOfMember);
    if (this.#dialled === undefined) watchLink(this.#transport);
    const grant = this.#grant!;
    const mayPublish = (namespace: readonly string[]): boolean =>
      isInternal(namespace) || refusalToPublish(grant, namespace) === undefined;
    const { objects: dialect } = session;
    void followPeer(session, { dialect, peer, tally: this.#tally, mayPublish, ...this.#context });
  }

  /** Asks the client to leave. To a bare `uri` the path it came with is added. */
  goaway(options: { uri?: string; timeoutMs: number }): void {
    const { uri, timeoutMs } = options;
    // A session that is not open yet hears it first thing.
    void this.#open.promise.then(({ session }) =>
      session.sendGoaway({ timeoutMs, ...(uri !== undefined && { uri: destination(uri, session.peer.path) }) }),
    );
  }

  async #authorise(peer: PeerSetup): Promise<SessionHandlers> {
    const { kind, remoteAddress, origin } = this.#transport;
    const request = {
      path: peer.path,
      ...(!carriesCredential(peer.path) && tokenOf(peer.tokens)),
      remoteAddress,
      via: kind,
      ...(origin !== undefined && { origin }),
    };
    try {
      this.#grant = await this.#context.authoriser.authorise(request);
      // The client did not wait for the answer: whoever granted it still hears of the end.
      if (this.#isOver) this.#grant.over?.({ reason: 'refused', ...this.#tally.figures() });
      if (asksToJoin(peer.path) && !isMember(this.#grant)) throw noMember(peer.path);
    } catch (error) {
      const known = toStreamsError(error);
      const { code, message: reason } = known;
      // `establish` closes the session with UNAUTHORIZED and this message; other refusals have codes of their own.
      if (isAboutRights(code)) throw asAuthFailed(known);
      this.#transport.close({
        code: code === 'NOT_FOUND' ? sessionCodes.invalidPath : sessionCodes.internalError,
        reason,
      });
      throw error;
    }
    return this.#handlers(this.#grant);
  }

  #handlers(grant: Grant): SessionHandlers {
    const root = grant.root ?? [];
    return {
      subscribe: (request) => this.#subscribe(grant, rootedRequest(root, request)),
      fetch: (request) => sayable(request, this.#fetch(grant, rootedRequest(root, request))),
      trackStatus: (request) => this.#trackStatus(grant, rootedRequest(root, request)),
      publish: (request) => this.#offer(grant, request),
      // A session of moq-lite would ask for them, and followPeer does.
      ...(!(this.isMember && liteVersion(this.#transport.protocol)) && {
        publishNamespace: (announcement) => this.#announce(grant, announcement),
      }),
      subscribeNamespace: (request) => this.#discover(grant, request, followNamespaces),
      subscribeTracks: (request) => this.#discover(grant, request, followTracks),
    };
  }

  #grantFor(grant: Grant, request: AskedTrack): Promise<RequestGrant | Refusal> {
    return grantForRequest(grant, request, this.#transport, this.#context.authoriser);
  }

  #subscribe(grant: Grant, request: IncomingSubscribe): Promise<void> | undefined {
    if (request.tokens.length > 0) return this.#subscribeWithToken(grant, request);
    const refusal = refusalToSubscribe(grant, request.track);
    if (refusal === undefined) return this.#route(request, grant);
    request.reject(refusal.code, refusal.reason);
    return undefined;
  }

  async #subscribeWithToken(grant: Grant, request: IncomingSubscribe): Promise<void> {
    const asked = this.#requests.take('asking', request);
    if (asked === undefined) return;
    const answer = await this.#grantFor(grant, request).finally(asked);
    if ('code' in answer) {
      request.reject(answer.code, answer.reason);
      return;
    }
    // What the token allowed ends with the token.
    const stop =
      answer.grant === grant ? undefined : answer.grant.watch((reason) => request.revoke(authFailed(reason)));
    void request.over.then(() => {
      stop?.();
      answer.over();
    });
    await this.#route(request, answer.grant);
  }

  async #route(request: IncomingSubscribe, grant: Grant): Promise<void> {
    const { track } = request;
    const over = this.#claim(track, request.subscribeId !== undefined);
    if (over === 'taken') {
      request.reject(requestErrorCodes.duplicateSubscription, 'already subscribed to this track');
    } else if (over === 'full') {
      request.reject(requestErrorCodes.excessiveLoad, 'too many subscriptions in this session', retryMs);
    } else {
      const { session, dialect, peer } = await this.#open.promise;
      const fail = (error: unknown): void => session.fail(error);
      const viewer = { dialect, tally: this.#tally, grant, isMember: peer.isMember, fail };
      this.#context.router.subscribe({ request, session: viewer, peer, over });
    }
  }

  #most(limit: SessionLimit): number {
    return this.isMember ? maxOfMember : this.#context.limits[limit];
  }

  #claim(track: TrackName, another = false): 'taken' | 'full' | (() => void) {
    return this.#tracks.claim(track, this.#most('maxSubscriptionsPerSession'), another);
  }

  async #fetch(grant: Grant, request: IncomingFetch): Promise<void> {
    const over = this.#requests.take('fetch', request);
    if (over === undefined) return;
    try {
      const answer = await this.#grantFor(grant, request);
      if ('code' in answer) request.reject(answer.code, answer.reason);
      else {
        const { peer } = await this.#open.promise;
        const serve = (fetch: IncomingFetch) => this.#context.router.fetch(fetch, this.#tally, peer);
        await fetchUnder(answer, grant, request, serve);
      }
    } finally {
      over();
    }
  }

  async #trackStatus(grant: Grant, request: IncomingTrackStatus): Promise<void> {
    const over = this.#requests.take('status', request);
    if (over === undefined) return;
    try {
      const answer = await this.#grantFor(grant, request);
      if ('code' in answer) {
        request.reject(answer.code, answer.reason);
        return;
      }
      const { peer } = await this.#open.promise;
      const asking = this.#context.router.status(request.track, this.#tally, request.cancelled, peer);
      const { largest, properties } = await asking.finally(() => answer.over());
      request.accept({ largest, trackProperties: properties });
    } catch (error) {
      if (!(error instanceof StreamsError)) throw error;
      const { code, reason, retryMs } = refusalOf(error);
      request.reject(code, reason, retryMs);
    } finally {
      over();
    }
  }

  async #discover(
    grant: Grant,
    request: IncomingPrefix,
    follow: (request: IncomingPrefix, by: Discoverer) => Promise<void>,
  ): Promise<void> {
    const over = this.#requests.take('prefix', request);
    if (over === undefined) return;
    const { session, dialect, peer } = await this.#open.promise;
    const { router, limits, hopId } = this.#context;
    const claim = (track: TrackName) => this.#claim(track);
    const tally = this.#tally;
    await follow(request, {
      grant,
      session,
      dialect,
      tally,
      router,
      peer,
      hopId,
      fail: (error) => session.fail(error),
      maxNamespaces: limits.maxNamespacesPerRequest,
      claim,
    }).finally(over);
  }

  async #announce(grant: Grant, announcement: IncomingNamespace): Promise<void> {
    const { root = [] } = grant;
    const namespace = [...root, ...announcement.namespace];
    const refusal = refusalToPublish(grant, namespace) ?? refusalOfName(namespace);
    if (refusal !== undefined) {
      announcement.reject(refusal.code, refusal.reason);
      return;
    }
    const over = this.#requests.take('namespace', announcement);
    if (over === undefined) return;
    void announcement.ended.then(over);
    const { session, dialect, peer } = await this.#open.promise;
    const { router, hopId } = this.#context;
    const { hops = [this.#ownHop] } = announcement;
    if (hops.length > maxHops || hops.includes(hopId)) {
      announcement.reject(requestErrorCodes.doesNotExist, 'it comes from here, or from too far');
      return;
    }
    announcement.accept();
    const publisher: NamespacePublisher = {
      session: rootedSession(root, session),
      dialect,
      namespace,
      tally: this.#tally,
      route: routeBy(peer, hops, announcement.hops && announcement.cost),
      ...(announcement.hops?.[0] && { origin: announcement.hops[0] }),
    };
    const withdraw = router.announce(publisher);
    announcement.onMoved?.((moved, cost) => {
      if (moved.length > maxHops || moved.includes(hopId)) announcement.cancel();
      else router.moved(publisher, routeBy(peer, moved, cost));
    });
    await announcement.ended;
    withdraw();
  }

  async #offer(grant: Grant, request: IncomingPublish): Promise<void> {
    const { root = [] } = grant;
    const name = { namespace: [...root, ...request.track.namespace], name: request.track.name };
    const refusal = refusalToPublish(grant, name.namespace) ?? refusalOfName(name.namespace, name.name);
    if (refusal !== undefined) {
      request.reject(refusal.code, refusal.reason);
      return;
    }
    const over = this.#requests.take('offer', request);
    if (over === undefined) return;
    const { session, dialect, peer } = await this.#open.promise;
    const rooted = rootedSession(root, session);
    const by = {
      session,
      dialect,
      tally: this.#tally,
      fetch: rooted.fetch.bind(rooted),
      route: { by: peer, hops: [this.#ownHop] },
    };
    const offer = new OfferedTrack(name, request, by);
    this.#context.router.offer(offer);
    await offer.done.finally(over);
  }
}
