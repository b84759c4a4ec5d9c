import type { ObjectDialect } from '../codec/moqt/dialect.ts';
import type { Session } from '../session/types.ts';
import type { SessionTally } from './session-tally.ts';

/** A session that announced a namespace. Two of them with the same namespace are two publishers. */
export type Publisher = {
  readonly session: Pick<Session, 'subscribe' | 'fetch'>;
  readonly dialect: ObjectDialect;
  readonly namespace: readonly string[];
  readonly tally: SessionTally;
};

/** Who publishes what. The newest announcement of a namespace comes first; older ones are its standby. */
export class PublisherList {
  readonly #byNamespace = new Map<string, Publisher[]>();

  get size(): number {
    return this.#byNamespace.size;
  }

  namespaces(): readonly (readonly string[])[] {
    return [...this.#byNamespace.values()].map((publishers) => publishers[0]!.namespace);
  }

  /** Answers whether the namespace is new. */
  add(publisher: Publisher): boolean {
    const key = namespaceKey(publisher.namespace);
    const list = this.#byNamespace.get(key);
    if (list === undefined) this.#byNamespace.set(key, [publisher]);
    else list.unshift(publisher);
    return list === undefined;
  }

  /** Answers whether the namespace is gone with it. */
  remove(publisher: Publisher): boolean {
    const key = namespaceKey(publisher.namespace);
    const list = this.#byNamespace.get(key);
    const index = list?.indexOf(publisher) ?? -1;
    if (list === undefined || index < 0) return false;
    list.splice(index, 1);
    return list.length === 0 && this.#byNamespace.delete(key);
  }

  /** The publisher of the longest announced prefix of the namespace (draft-18 8.5). */
  find(namespace: readonly string[]): Publisher | undefined {
    for (let length = namespace.length; length > 0; length--) {
      const found = this.#byNamespace.get(namespaceKey(namespace.slice(0, length)))?.[0];
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** Fields of any content stay apart. */
export function namespaceKey(namespace: readonly string[]): string {
  return JSON.stringify(namespace);
}

export function isPrefix(prefix: readonly string[], namespace: readonly string[]): boolean {
  return prefix.length <= namespace.length && prefix.every((field, i) => field === namespace[i]);
}
