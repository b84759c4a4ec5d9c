import { requestErrorCodes } from '../../codec/moqt/codes.ts';
import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import type { Logger } from '../../core/log.ts';
import { RequestError } from '../../session/request-error.ts';
import type { RelayCore } from '../relay.ts';
import { SessionTally } from '../reports/session-tally.ts';
import type { PrefixWatcher } from '../routing/prefix-watchers.ts';
import { randomHop } from '../upstream/route.ts';
import { Link, type LinkOptions } from './link.ts';
import { nodeOf, nodeUrl, originOf, originsPrefix } from './node-url.ts';

export type ClusterOptions = Omit<LinkOptions, 'core'> & {
  readonly core: Pick<RelayCore, 'fault' | 'link' | 'hopId' | 'router'>;
  /** Relays to dial; each may carry a token of its own (`?jwt=`): secrets. */
  readonly connect: readonly string[];
  /** Where other relays reach this one. */
  readonly node?: string;
  /** Members tell each other of themselves, and dial those that they hear of. */
  readonly discover: boolean;
  /** What the namespace of a relay, which has no tracks, is announced with. */
  readonly dialect: ObjectDialect;
  readonly logger: Logger;
};

/** The links of one relay to the others of its cluster: those it is told to dial, and those it hears of. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #node: string | undefined;
  /** By the URL without its query. */
  readonly #configured = new Map<string, Link>();
  readonly #found = new Map<string, Link>();
  readonly #undo: (() => void)[] = [];
  /** Links that were let go of and still close. */
  readonly #leaving = new Set<Promise<void>>();

  /** Throws CONFIG_INVALID for what is no URL of a relay. */
  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#node = options.node === undefined ? undefined : nodeUrl(options.node);
    for (const url of options.connect) {
      const key = nodeUrl(url);
      if (key !== this.#node && !this.#configured.has(key)) this.#configured.set(key, new Link(url, options));
    }
    if (!options.discover) return;
    this.#announceItself();
    this.#watch();
  }

  /** Closes every link. Idempotent. */
  async stop(): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo();
    const links = [...this.#configured.values(), ...this.#found.values()];
    this.#configured.clear();
    this.#found.clear();
    await Promise.all([...links.map((link) => link.stop()), ...this.#leaving]);
  }

  #announceItself(): void {
    if (this.#node === undefined) return;
    const { core, dialect } = this.#options;
    const nothing = (): Promise<never> =>
      Promise.reject(new RequestError(requestErrorCodes.doesNotExist, 'a relay has no tracks of its own'));
    const withdraw = core.router.announce({
      session: { subscribe: nothing, fetch: nothing },
      dialect,
      tally: new SessionTally({
        stats: () => ({ rttMs: 0, cwnd: 0, bytesSent: 0, bytesReceived: 0, packetsLost: 0 }),
      }),
      namespace: originOf(this.#node),
      route: { by: { isMember: false, id: undefined }, hops: [randomHop()] },
    });
    this.#undo.push(withdraw);
  }

  #watch(): void {
    const { router } = this.#options.core;
    const watcher: PrefixWatcher<readonly string[]> = {
      prefix: originsPrefix,
      maySee: () => true,
      appeared: (namespace) => this.#appeared(namespace),
      moved: (namespace) => this.#appeared(namespace),
      disappeared: (namespace) => this.#disappeared(namespace),
      failed: (error) => this.#options.core.fault(error),
    };
    this.#undo.push(router.watchNamespaces(watcher));
  }

  /** One link joins each pair: of two that can be reached, that with the smaller URL dials. */
  #appeared(namespace: readonly string[]): void {
    const url = nodeOf(namespace);
    if (url === undefined || url === this.#node || this.#configured.has(url) || this.#found.has(url)) return;
    if ((this.#node !== undefined && url < this.#node) || this.#isJoined(namespace)) return;
    this.#options.logger.info('cluster member found', { url });
    this.#found.set(url, new Link(url, this.#options));
  }

  /** It tells us so itself, over a link that it dialled. */
  #isJoined(namespace: readonly string[]): boolean {
    return this.#options.core.router.routeOf(namespace)?.route?.hops.length === 2;
  }

  #disappeared(namespace: readonly string[]): void {
    const url = nodeOf(namespace);
    const link = url === undefined ? undefined : this.#found.get(url);
    if (url === undefined || link === undefined) return;
    this.#options.logger.info('cluster member gone', { url });
    this.#found.delete(url);
    const leaving = link.stop().then(() => void this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }
}
