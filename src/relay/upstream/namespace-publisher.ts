import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import type { Session } from '../../session/types.ts';
import type { SessionTally } from '../reports/session-tally.ts';
import { compareRoutes, type Route } from './route.ts';

/** A session that announced a namespace. Two of them with the same namespace are two publishers. */
export type NamespacePublisher = {
  readonly session: Pick<Session, 'subscribe' | 'fetch'>;
  readonly dialect: ObjectDialect;
  readonly namespace: readonly string[];
  readonly tally: SessionTally;
  /** How it was announced to us; absent for what nobody else hears of. It changes when the announcement takes another way. */
  route?: Route;
  /** Who makes the content, where the session says so: another one's groups are other groups, whatever their ids. */
  readonly origin?: bigint;
};

/** Publishers that were asked for a track and have not got it. */
export type Tried = Pick<WeakSet<NamespacePublisher>, 'has'>;

/** Who publishes what. Of one namespace the best comes first (see compareRoutes), of equals the newest; the others are its standby. */
export class PublisherList {
  readonly #byNamespace = new Map<string, NamespacePublisher[]>();

  get size(): number {
    return this.#byNamespace.size;
  }

  namespaces(): readonly (readonly string[])[] {
    return [...this.#byNamespace.values()].map((publishers) => publishers[0]!.namespace);
  }

  /** Returns whether the namespace is new. */
  add(publisher: NamespacePublisher): boolean {
    const key = namespaceKey(publisher.namespace);
    const list = this.#byNamespace.get(key);
    if (list === undefined) this.#byNamespace.set(key, [publisher]);
    else insert(list, publisher);
    return list === undefined;
  }

  has(publisher: NamespacePublisher): boolean {
    return this.#byNamespace.get(namespaceKey(publisher.namespace))?.includes(publisher) === true;
  }

  /** The publisher to use of exactly this namespace. */
  best(namespace: readonly string[]): NamespacePublisher | undefined {
    return this.#byNamespace.get(namespaceKey(namespace))?.[0];
  }

  /** Its announcement comes another way now. */
  moved(publisher: NamespacePublisher, route: Route): void {
    publisher.route = route;
    const list = this.#byNamespace.get(namespaceKey(publisher.namespace));
    const index = list?.indexOf(publisher) ?? -1;
    if (list === undefined || index < 0) return;
    list.splice(index, 1);
    insert(list, publisher);
  }

  /** Returns whether the namespace is gone with it. */
  remove(publisher: NamespacePublisher): boolean {
    const key = namespaceKey(publisher.namespace);
    const list = this.#byNamespace.get(key);
    const index = list?.indexOf(publisher) ?? -1;
    if (list === undefined || index < 0) return false;
    list.splice(index, 1);
    return list.length === 0 && this.#byNamespace.delete(key);
  }

  /** The publisher of the longest announced prefix of the namespace (draft-18 8.5), other than those in `tried`. */
  find(namespace: readonly string[], tried?: Tried): NamespacePublisher | undefined {
    for (let length = namespace.length; length > 0; length--) {
      const list = this.#byNamespace.get(namespaceKey(namespace.slice(0, length)));
      const found = list?.find((each) => tried?.has(each) !== true);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

function insert(list: NamespacePublisher[], publisher: NamespacePublisher): void {
  const index = list.findIndex((each) => compareRoutes(publisher, each) <= 0);
  list.splice(index < 0 ? list.length : index, 0, publisher);
}

/** Fields of any content stay apart. */
export function namespaceKey(namespace: readonly string[]): string {
  return JSON.stringify(namespace);
}

export function isPrefix(prefix: readonly string[], namespace: readonly string[]): boolean {
  return prefix.length <= namespace.length && prefix.every((field, i) => field === namespace[i]);
}
