import type { CachedGroup } from './group.ts';
import type { RelayLimits } from './limits.ts';

/**
 * What all tracks of a relay keep, bounded in bytes and age. Only groups that are no longer the newest of their track can
 * be forgotten, oldest first; a newest group is bounded by itself (`maxGroupBytes`).
 */
export class ObjectCache {
  bytes = 0;
  /** Older groups, in the order in which they ceased to be the newest. */
  readonly #older = new Set<CachedGroup>();
  readonly #limits: Pick<RelayLimits, 'cacheBytes' | 'cacheAgeMs'>;
  readonly #now: () => number;

  constructor(limits: Pick<RelayLimits, 'cacheBytes' | 'cacheAgeMs'>, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  /** Bytes were added to (or trimmed from) a group. */
  grew(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.#limits.cacheBytes) this.#evict();
  }

  /** The group is no longer the newest of its track. */
  retire(group: CachedGroup): void {
    if (!group.dropped) this.#older.add(group);
    this.#evict();
  }

  /** The group is the newest of its track (again). */
  keep(group: CachedGroup): void {
    this.#older.delete(group);
  }

  /** The group goes with its track. */
  forget(group: CachedGroup): void {
    this.#older.delete(group);
    this.bytes -= group.drop();
  }

  #evict(): void {
    const oldest = this.#now() - this.#limits.cacheAgeMs;
    for (const group of this.#older) {
      if (this.bytes <= this.#limits.cacheBytes && group.arrivedAt > oldest) return;
      this.forget(group);
    }
  }
}
