import type { Authoriser, Grant } from '../access/grant.ts';
import { sessionCodes } from '../codec/moqt/codes.ts';
import { StreamsError, toStreamsError } from '../core/errors.ts';
import { faultFields } from '../core/fault.ts';
import { LimitedWarnings } from '../core/limited-warnings.ts';
import { type Logger, redactUrl } from '../core/log.ts';
import type { SessionClose } from '../session/types.ts';
import type { Transport } from '../transport/transport.ts';
import { newCounters, type RelayCounters } from './counters.ts';
import { defaultLimits, type RelayLimits } from './limits.ts';
import { Router } from './routing/router.ts';
import { type Dialled, RelaySession } from './session/relay-session.ts';
import { randomHop } from './upstream/route.ts';

/** Sessions that come and go are worth a line each, but not any number of them. */
const sessionLinesPerSecond = 100;

export type RelayStats = RelayCounters & {
  readonly sessions: number;
  readonly publishers: number;
  /** Sessions with other relays of the cluster, dialled and accepted. */
  readonly peers: number;
  /** Accepted subscriptions. */
  readonly subscriptions: number;
  readonly namespaces: number;
  readonly tracks: number;
  readonly cacheBytes: number;
};

/** A relay without sockets: it serves whatever transport it is handed. */
export interface RelayCore {
  /**
   * Resolves when the session is over; never rejects. Handshake, refusal and end are logged. `granted`: its path has been
   * authorised already.
   */
  serve(transport: Transport, granted?: Grant): Promise<void>;
  /**
   * Makes the other end of a connection of ours a member of the cluster, until the session is over. Rejects with what kept it
   * from opening (see `establish`).
   */
  link(transport: Transport, dialled: Dialled): Promise<SessionClose>;
  readonly router: Router;
  /** Ours in hop lists. */
  readonly hopId: bigint;
  /** Logs, with its stack, and counts an error of ours that nobody expected. */
  fault(error: unknown): void;
  /** The process has caught, and logged, an error that no session is known for: counts it. */
  processFault(): void;
  stats(): RelayStats;
  /** All that are announced now, each once. */
  namespaces(): readonly (readonly string[])[];
  /**
   * Takes no new sessions, asks all to leave (GOAWAY, to `uri` if given; a bare one gets the path of each session), and waits;
   * those still here after `timeoutMs` are closed with GOAWAY_TIMEOUT. Idempotent.
   */
  drain(options: { uri?: string; timeoutMs: number }): Promise<void>;
  /** Ends all sessions (NO_ERROR) and waits for them. */
  close(reason?: string): Promise<void>;
}

/** The relay proper, on any transport. `limits` override the defaults one by one. */
export function createRelay(options: {
  authoriser: Authoriser;
  logger: Logger;
  limits?: Partial<RelayLimits>;
  /** Ours in hop lists; default random. */
  hopId?: bigint;
}): RelayCore {
  const { authoriser, logger, hopId = randomHop() } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const counters = newCounters();
  const router = new Router(limits, counters);
  const warnings = new LimitedWarnings(logger);
  const comings = new LimitedWarnings(logger, undefined, sessionLinesPerSecond);
  const faults = new LimitedWarnings(logger);
  const fault = (error: unknown): void => {
    counters.faults++;
    faults.error('an unexpected error: what it was thrown for is closed', faultFields(error));
  };
  const open = new Map<RelaySession, { transport: Transport; over: Promise<void> }>();
  let closing = false;
  let draining: Promise<void> | undefined;

  async function drain(options: { uri?: string; timeoutMs: number }): Promise<void> {
    closing = true;
    router.drain();
    // What other relays have from here ends with its publishers, not before.
    const all = [...open].filter(([session]) => !session.isMember);
    for (const [session] of all) session.goaway(options);
    logger.info('draining', { sessions: all.length, timeoutMs: options.timeoutMs });
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise((resolve) => {
      timer = setTimeout(resolve, options.timeoutMs);
    });
    await Promise.race([Promise.all(all.map(([, { over }]) => over)), timeout]);
    clearTimeout(timer);
    for (const [session, { transport }] of open) {
      const code = session.isMember ? sessionCodes.noError : sessionCodes.goawayTimeout;
      transport.close({ code, reason: 'the relay is going away' });
    }
    await Promise.all([...open.values()].map(({ over }) => over));
  }

  async function run(session: RelaySession, transport: Transport): Promise<void> {
    const { kind: via, remoteAddress } = transport;
    const startedAt = performance.now();
    try {
      const end = await session.run(() => {
        counters.sessionsAccepted++;
        comings.info('session opened', { kind: session.isMember ? 'cluster' : session.kind, via, remoteAddress });
      });
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      comings.info('session ended', {
        kind: session.isMember ? 'cluster' : session.kind,
        via,
        remoteAddress,
        seconds,
        by: end.by,
        reason: end.reason,
      });
    } catch (error) {
      counters.sessionsRefused++;
      const { code, message } = toStreamsError(error);
      warnings.warn('session refused', { path: redactUrl(transport.path), via, remoteAddress, code, reason: message });
      transport.close({ code: sessionCodes.internalError, reason: 'no session' });
    } finally {
      open.delete(session);
    }
  }

  return {
    serve(transport, granted) {
      if (closing || open.size >= limits.maxSessions) {
        const reason = closing ? 'the relay is shutting down' : 'the relay is full';
        counters.sessionsRefused++;
        warnings.warn('session refused', { via: transport.kind, remoteAddress: transport.remoteAddress, reason });
        transport.close({ code: sessionCodes.internalError, reason });
        return Promise.resolve();
      }
      const session = new RelaySession(transport, {
        authoriser: granted === undefined ? authoriser : { authorise: async () => granted },
        router,
        limits,
        hopId,
        logger,
        fault,
      });
      const over = run(session, transport);
      open.set(session, { transport, over });
      return over;
    },

    async link(transport, dialled) {
      if (closing) throw new StreamsError('INTERRUPTED', 'the relay is shutting down');
      const session = new RelaySession(transport, { authoriser, router, limits, hopId, logger, fault }, dialled);
      const running = session.run(() => {});
      const over = running.then(() => open.delete(session)).catch(() => open.delete(session));
      open.set(session, { transport, over: over.then(() => {}) });
      return running;
    },

    router,
    hopId,

    fault,

    processFault() {
      counters.faults++;
    },

    stats() {
      let publishers = 0;
      let peers = 0;
      for (const session of open.keys()) {
        if (session.isMember) peers++;
        else if (session.kind === 'publish' || session.kind === 'both') publishers++;
      }
      return {
        ...counters,
        sessions: open.size,
        publishers,
        peers,
        subscriptions: router.viewerCount,
        namespaces: router.namespaceCount,
        tracks: router.trackCount,
        cacheBytes: router.cache.bytes,
      };
    },

    namespaces: () => router.namespaces(),

    drain(options) {
      draining ??= drain(options);
      return draining;
    },

    async close(reason = 'the relay is shutting down') {
      closing = true;
      router.close();
      const all = [...open.values()];
      for (const { transport } of all) transport.close({ code: sessionCodes.noError, reason });
      await Promise.all(all.map(({ over }) => over));
    },
  };
}
