import { sessionCodes } from '../../codec/moqt/codes.ts';
import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import { toStreamsError } from '../../core/errors.ts';
import type { Logger } from '../../core/log.ts';
import type { NamespaceEvent, Session } from '../../session/types.ts';
import type { SessionTally } from '../reports/session-tally.ts';
import type { Router } from '../routing/router.ts';
import { type NamespacePublisher, namespaceKey } from '../upstream/namespace-publisher.ts';
import { isUsable, type Peer, routeBy } from '../upstream/route.ts';

export type PeerContext = {
  readonly router: Pick<Router, 'announce' | 'moved'>;
  readonly dialect: ObjectDialect;
  readonly tally: SessionTally;
  readonly peer: Peer;
  /** Ours in hop lists. */
  readonly hopId: bigint;
  readonly logger: Logger;
  mayPublish(namespace: readonly string[]): boolean;
};

/** Takes what another relay of the cluster announces into the router, and out again: nothing of it outlives the session. */
export async function followPeer(session: Session, context: PeerContext): Promise<void> {
  const announced = new Announced(session, context);
  let why = 'the list of namespaces ended';
  try {
    const list = await session.subscribeNamespace([]);
    for (let event = await list.next(); event !== null; event = await list.next()) announced.take(event);
  } catch (error) {
    why = toStreamsError(error).message;
  } finally {
    announced.clear();
  }
  // A link that does not tell what is there is none; whoever dialled tries again.
  session.close(sessionCodes.noError, `cluster: ${why}`);
}

class Announced {
  readonly #session: Session;
  readonly #context: PeerContext;
  readonly #live = new Map<string, { readonly publisher: NamespacePublisher; readonly withdraw: () => void }>();
  #warned = false;

  constructor(session: Session, context: PeerContext) {
    this.#session = session;
    this.#context = context;
  }

  take({ namespace, active, hops, cost }: NamespaceEvent): void {
    const { router, peer, hopId, dialect, tally } = this.#context;
    const key = namespaceKey(namespace);
    const known = this.#live.get(key);
    if (active && hops === undefined) this.#warn();
    if (!active || !isUsable(hops, hopId) || !this.#context.mayPublish(namespace)) {
      known?.withdraw();
      this.#live.delete(key);
      return;
    }
    peer.id ??= hops.at(-1);
    const route = routeBy(peer, hops, cost);
    if (known !== undefined) {
      router.moved(known.publisher, route);
      return;
    }
    const publisher: NamespacePublisher = { session: this.#session, dialect, tally, namespace, route };
    this.#live.set(key, { publisher, withdraw: router.announce(publisher) });
  }

  clear(): void {
    for (const { withdraw } of this.#live.values()) withdraw();
    this.#live.clear();
  }

  #warn(): void {
    if (this.#warned) return;
    this.#warned = true;
    const { remoteAddress } = this.#session.transport;
    this.#context.logger.warn('a cluster peer does not say which relays its broadcasts passed: they are left out', {
      remoteAddress,
      version: this.#session.version,
    });
  }
}
