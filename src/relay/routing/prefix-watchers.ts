import { isPrefix } from '../upstream/namespace-publisher.ts';

/** Somebody who wants to hear of what begins with a prefix. */
export type PrefixWatcher<T> = {
  /** Whole, the root of the session included. */
  prefix: readonly string[];
  /** It came. Never called for what the watcher may not see. */
  appeared(thing: T): void;
  disappeared(thing: T): void;
  /** It is still there, but comes another way. */
  moved?(thing: T): void;
  maySee(thing: T): boolean;
  /** Telling it went wrong. The others hear of the thing all the same. */
  failed(error: unknown): void;
};

/** Those who follow namespaces, or tracks, as they come and go. */
export class PrefixWatchers<T> {
  readonly #watchers = new Set<PrefixWatcher<T>>();
  readonly #namespaceOf: (thing: T) => readonly string[];

  constructor(namespaceOf: (thing: T) => readonly string[]) {
    this.#namespaceOf = namespaceOf;
  }

  /** Tells it of `existing` at once; holds until the answer is called. */
  add(watcher: PrefixWatcher<T>, existing: Iterable<T>): () => void {
    this.#watchers.add(watcher);
    this.refresh(watcher, existing);
    return () => this.#watchers.delete(watcher);
  }

  /** Tells it once more, its prefix having changed. */
  refresh(watcher: PrefixWatcher<T>, existing: Iterable<T>): void {
    for (const thing of existing) this.#tell(watcher, thing, 'appeared');
  }

  appeared(thing: T): void {
    for (const watcher of [...this.#watchers]) this.#tell(watcher, thing, 'appeared');
  }

  disappeared(thing: T): void {
    for (const watcher of [...this.#watchers]) this.#tell(watcher, thing, 'disappeared');
  }

  moved(thing: T): void {
    for (const watcher of [...this.#watchers]) this.#tell(watcher, thing, 'moved');
  }

  #tell(watcher: PrefixWatcher<T>, thing: T, what: 'appeared' | 'disappeared' | 'moved'): void {
    try {
      if (this.#concerns(watcher, thing)) watcher[what]?.(thing);
    } catch (error) {
      watcher.failed(error);
    }
  }

  #concerns(watcher: PrefixWatcher<T>, thing: T): boolean {
    return isPrefix(watcher.prefix, this.#namespaceOf(thing)) && watcher.maySee(thing);
  }
}
