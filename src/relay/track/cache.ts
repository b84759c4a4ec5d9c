import type { RelayLimits } from '../limits.ts';
import { fairShare, withRoom } from './fair-share.ts';
import { type CachedGroup, Holdings } from './group.ts';

export type CacheLimits = Pick<
  RelayLimits,
  'cacheBytes' | 'cacheAgeMs' | 'maxGroupBytes' | 'maxTrackBytes' | 'maxPublisherBytes' | 'totalBytes'
>;

/**
 * What all tracks of a relay keep, bounded in bytes for a group, a track, a publisher and all, and in age. What goes first are
 * groups that are no longer the newest of their track, oldest first; then the first objects of newest groups, of those who have most.
 * An object costs amortised O(1), whatever else is kept.
 */
export class ObjectCache {
  readonly #all = new Holdings();
  readonly #limits: CacheLimits;
  readonly #now: () => number;

  constructor(limits: CacheLimits, now: () => number = () => performance.now()) {
    this.#limits = limits;
    this.#now = now;
  }

  get bytes(): number {
    return this.#all.bytes;
  }

  /** Bytes were added to a group. Trims what has more than it may. */
  grew(group: CachedGroup, bytes: number): void {
    this.#count(group, bytes);
    const { maxGroupBytes, maxTrackBytes, maxPublisherBytes, cacheBytes, totalBytes } = this.#limits;
    const { track, publisher } = group;
    if (group.bytes > maxGroupBytes) this.#trim(group, withRoom(maxGroupBytes));
    if (track.bytes > maxTrackBytes) this.#shrink(track, withRoom(maxTrackBytes));
    if (publisher.bytes > maxPublisherBytes && !publisher.isShared) {
      this.#shrink(publisher, withRoom(maxPublisherBytes));
    }
    if (this.#all.bytes > cacheBytes) this.#evict();
    if (this.#all.bytes > totalBytes) this.#shareOut(withRoom(totalBytes));
  }

  /** The group may become larger by what `grew` said last; false: it is over a bound even though everything was trimmed. */
  hasRoom(group: CachedGroup): boolean {
    const { maxGroupBytes, maxTrackBytes, maxPublisherBytes, totalBytes } = this.#limits;
    const { track, publisher } = group;
    return (
      !group.dropped &&
      group.bytes <= maxGroupBytes &&
      track.bytes <= maxTrackBytes &&
      (publisher.bytes <= maxPublisherBytes || publisher.isShared) &&
      this.#all.bytes <= totalBytes
    );
  }

  /** Bytes of a group were given back by whoever added them. */
  shrank(group: CachedGroup, bytes: number): void {
    this.#count(group, -bytes);
  }

  /** The group is no longer the newest of its track. */
  retire(group: CachedGroup): void {
    for (const { older, newest } of this.#holders(group)) {
      newest.delete(group);
      if (!group.dropped) older.add(group);
    }
    this.#evict();
  }

  /** The group is the newest of its track. */
  keep(group: CachedGroup): void {
    for (const { older, newest } of this.#holders(group)) {
      older.delete(group);
      newest.add(group);
    }
  }

  /** The group goes, with all that it keeps. */
  forget(group: CachedGroup): void {
    for (const { older, newest } of this.#holders(group)) {
      older.delete(group);
      newest.delete(group);
    }
    this.#count(group, -group.bytes);
    group.drop();
  }

  #holders({ track, publisher }: CachedGroup): readonly [Holdings, Holdings, Holdings] {
    return [track, publisher, this.#all];
  }

  #count(group: CachedGroup, bytes: number): void {
    group.bytes += bytes;
    group.track.bytes += bytes;
    group.publisher.bytes += bytes;
    this.#all.bytes += bytes;
  }

  #evict(): void {
    const oldest = this.#now() - this.#limits.cacheAgeMs;
    for (const group of this.#all.older) {
      if (this.bytes <= this.#limits.cacheBytes && group.arrivedAt > oldest) return;
      this.forget(group);
    }
  }

  #trim(group: CachedGroup, target: number): void {
    this.#count(group, -group.trimTo(target));
  }

  #shrink(holder: Holdings, target: number): void {
    for (const group of holder.older) {
      if (holder.bytes <= target) return;
      this.forget(group);
    }
    if (holder.bytes > target) this.#shrinkAll(holder.newest, target);
  }

  #shrinkAll(groups: Iterable<CachedGroup>, target: number): void {
    const all = [...groups];
    const share = fairShare(
      all.map(({ bytes }) => bytes),
      target,
    );
    for (const group of all) if (group.bytes > share) this.#trim(group, share);
  }

  /** Newest groups only are left: publishers that keep much give way to those that keep little, and over a link tracks. */
  #shareOut(target: number): void {
    for (const group of this.#all.older) {
      if (this.bytes <= target) return;
      this.forget(group);
    }
    const keepers = new Set<Holdings>();
    for (const { publisher, track } of this.#all.newest) keepers.add(publisher.isShared ? track : publisher);
    const share = fairShare(
      [...keepers].map(({ bytes }) => bytes),
      target,
    );
    for (const keeper of keepers) if (keeper.bytes > share) this.#shrinkAll(keeper.newest, share);
  }
}
