import { type Authoriser, allows, allowsTrack, authFailed, type Grant } from '../access/grant.ts';
import { requestErrorCodes, sessionCodes } from '../codec/moqt/codes.ts';
import type { Dialect } from '../codec/moqt/dialect.ts';
import { dialectFor } from '../codec/moqt/dialects.ts';
import { type Deferred, deferred } from '../core/deferred.ts';
import { StreamsError, toStreamsError } from '../core/errors.ts';
import { establish } from '../session/establish.ts';
import type {
  IncomingFetch,
  IncomingNamespace,
  IncomingSubscribe,
  PeerSetup,
  Session,
  SessionClose,
  SessionHandlers,
} from '../session/types.ts';
import type { Transport } from '../transport/transport.ts';
import type { RelayLimits } from './limits.ts';
import { namespaceKey } from './publisher.ts';
import { rootedRequest, rootedSession } from './rooted.ts';
import type { Router } from './router.ts';

export type RelaySessionContext = {
  readonly authoriser: Authoriser;
  readonly router: Router;
  readonly limits: RelayLimits;
};

type Open = { readonly session: Session; readonly dialect: Dialect };

/** One client of the relay: what it may do, and what it does. */
export class RelaySession {
  readonly #transport: Transport;
  readonly #context: RelaySessionContext;
  readonly #open: Deferred<Open> = deferred();
  #grant: Grant | undefined;
  /** Tracks it has subscribed to or waits for. */
  readonly #subscriptions = new Set<string>();
  #fetches = 0;

  constructor(transport: Transport, context: RelaySessionContext) {
    this.#transport = transport;
    this.#context = context;
  }

  get kind(): Grant['kind'] | undefined {
    return this.#grant?.kind;
  }

  /** Resolves with how the session ended; `opened` is called once it is established. Throws what kept it from that. */
  async run(opened: () => void): Promise<SessionClose> {
    const session = await establish(this.#transport, {
      role: 'server',
      setupTimeoutMs: this.#context.limits.handshakeMs,
      authorise: (peer) => this.#authorise(peer),
    });
    const dialect = dialectFor(session.version);
    if (dialect === undefined) throw new StreamsError('UNSUPPORTED', `no dialect for ${session.version}`);
    opened();
    const stopWatching = this.#grant?.watch((reason) => session.close(sessionCodes.unauthorized, reason));
    this.#open.resolve({ session, dialect });
    const close = await session.closed;
    stopWatching?.();
    return close;
  }

  async #authorise(peer: PeerSetup): Promise<SessionHandlers> {
    const { remoteAddress, origin } = this.#transport;
    const request = { path: peer.path, remoteAddress, ...(origin !== undefined && { origin }) };
    try {
      this.#grant = await this.#context.authoriser.authorise(request);
    } catch (error) {
      const { code, message } = toStreamsError(error);
      // A refusal that is not about rights has its own code; establish closes with UNAUTHORIZED otherwise.
      if (code === 'NOT_FOUND') this.#transport.close({ code: sessionCodes.invalidPath, reason: message });
      else if (code !== 'UNAUTHORIZED' && code !== 'TOKEN_INVALID' && code !== 'TOKEN_EXPIRED') {
        this.#transport.close({ code: sessionCodes.internalError, reason: message });
      }
      throw error;
    }
    const grant = this.#grant;
    const root = grant.root ?? [];
    return {
      subscribe: (request) => this.#subscribe(grant, rootedRequest(root, request)),
      fetch: (request) => void this.#fetch(grant, rootedRequest(root, request)),
      publishNamespace: (announcement) => void this.#announce(grant, announcement),
    };
  }

  #subscribe(grant: Grant, request: IncomingSubscribe): void {
    const { track } = request;
    const key = namespaceKey([...track.namespace, track.name]);
    const lapsed = grant.lapsed();
    if (lapsed !== undefined) request.reject(requestErrorCodes.expiredAuthToken, lapsed);
    else if (!allows(grant.subscribe, track.namespace)) {
      request.reject(requestErrorCodes.unauthorized, `${authFailed}not a namespace of this session`);
    } else if (!allowsTrack(grant, track.name)) {
      request.reject(requestErrorCodes.unauthorized, `${authFailed}not a track of this token`);
    } else if (this.#subscriptions.has(key)) {
      request.reject(requestErrorCodes.duplicateSubscription, 'already subscribed to this track');
    } else if (this.#subscriptions.size >= this.#context.limits.maxSubscriptionsPerSession) {
      request.reject(requestErrorCodes.excessiveLoad, 'too many subscriptions in this session', 1000);
    } else {
      this.#subscriptions.add(key);
      const over = (): void => void this.#subscriptions.delete(key);
      void this.#open.promise.then(({ dialect }) => this.#context.router.subscribe({ request, dialect, over }));
    }
  }

  async #fetch(grant: Grant, request: IncomingFetch): Promise<void> {
    const lapsed = grant.lapsed();
    if (lapsed !== undefined) request.reject(requestErrorCodes.expiredAuthToken, lapsed);
    else if (!allows(grant.subscribe, request.track.namespace)) {
      request.reject(requestErrorCodes.unauthorized, `${authFailed}not a namespace of this session`);
    } else if (!allowsTrack(grant, request.track.name)) {
      request.reject(requestErrorCodes.unauthorized, `${authFailed}not a track of this token`);
    } else if (this.#fetches >= this.#context.limits.maxFetchesPerSession) {
      request.reject(requestErrorCodes.excessiveLoad, 'too many fetches in this session', 1000);
    } else {
      this.#fetches++;
      await this.#context.router.fetch(request);
      this.#fetches--;
    }
  }

  async #announce(grant: Grant, announcement: IncomingNamespace): Promise<void> {
    const { root = [] } = grant;
    const namespace = [...root, ...announcement.namespace];
    if (!allows(grant.publish, namespace)) {
      announcement.reject(requestErrorCodes.unauthorized, `${authFailed}not a namespace this session may publish`);
      return;
    }
    const { session, dialect } = await this.#open.promise;
    announcement.accept();
    const withdraw = this.#context.router.announce({ session: rootedSession(root, session), dialect, namespace });
    await announcement.ended;
    withdraw();
  }
}
