import { requestErrorCodes } from '../../codec/moqt/codes.ts';
import type { IncomingSubscribe } from '../../session/types.ts';
import { isPrefix, namespaceKey } from '../upstream/namespace-publisher.ts';
import type { Peer } from '../upstream/route.ts';
import type { ViewerSession } from '../viewer/viewer-session.ts';

/** A subscription request that its session is allowed to make. */
export type RoutedRequest = {
  readonly request: IncomingSubscribe;
  readonly session: ViewerSession;
  /** Who asks: what comes from there is not sent back. */
  readonly peer?: Peer;
  /** Called once, when it was rejected, cancelled, or its subscription ended. */
  readonly over: () => void;
};

type Held = { readonly routed: RoutedRequest; readonly timer: NodeJS.Timeout };

/** Subscription requests that wait for a publisher (draft-18 RENDEZVOUS_TIMEOUT). */
export class HeldRequests {
  readonly #limit: number;
  readonly #byNamespace = new Map<string, Set<Held>>();
  #count = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Rejects it with TIMEOUT after `holdMs`. false: too many wait already. */
  add(routed: RoutedRequest, holdMs: number, reason: string, retryMs: number): boolean {
    if (this.#count >= this.#limit) return false;
    const key = namespaceKey(routed.request.track.namespace);
    const timer = setTimeout(() => {
      if (!this.#remove(key, held)) return;
      routed.request.reject(requestErrorCodes.timeout, reason, retryMs);
      routed.over();
    }, holdMs);
    const held: Held = { routed, timer };
    const set = this.#byNamespace.get(key) ?? new Set();
    this.#byNamespace.set(key, set.add(held));
    this.#count++;
    void routed.request.cancelled.then(() => {
      if (this.#remove(key, held)) routed.over();
    });
    return true;
  }

  /** Removes and answers those that a publisher of `namespace` can serve, or of them those of one track. */
  take(namespace: readonly string[], name?: string): RoutedRequest[] {
    const taken: RoutedRequest[] = [];
    for (const [key, set] of [...this.#byNamespace]) {
      for (const held of [...set]) {
        if (!isPrefix(namespace, held.routed.request.track.namespace)) break;
        if (name !== undefined && !isNamed(held.routed, namespace, name)) continue;
        this.#remove(key, held);
        taken.push(held.routed);
      }
    }
    return taken;
  }

  rejectAll(code: number, reason: string): void {
    for (const { request, over } of this.take([])) {
      request.reject(code, reason);
      over();
    }
  }

  #remove(key: string, held: Held): boolean {
    const set = this.#byNamespace.get(key);
    if (set === undefined || !set.delete(held)) return false;
    clearTimeout(held.timer);
    this.#count--;
    if (set.size === 0) this.#byNamespace.delete(key);
    return true;
  }
}

function isNamed({ request }: RoutedRequest, namespace: readonly string[], name: string): boolean {
  return request.track.name === name && request.track.namespace.length === namespace.length;
}
