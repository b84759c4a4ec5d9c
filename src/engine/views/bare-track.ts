import type { StoredGroup } from '../../broadcast/track-store.ts';
import { TrackStore } from '../../broadcast/track-store.ts';

/**
 * A track without its init segments: the groups of `source` from object 1 on, for players that take the init segment from a
 * catalog and nothing but fragments from a track. Made only while somebody follows it; the bytes are shared.
 */
export class BareTrack {
  readonly store: TrackStore;
  readonly #source: TrackStore;
  #leave: (() => void) | undefined;

  constructor(source: TrackStore, name: string) {
    this.#source = source;
    this.store = new TrackStore(name, (followers) => this.#demand(followers > 0));
  }

  /** Brings what it holds up to date, before somebody asks what there is. */
  refresh(): void {
    if (this.#leave !== undefined) return;
    this.store.forget();
    if (this.#source.newest !== undefined) this.#copy(this.#source.newest);
  }

  #demand(wanted: boolean): void {
    if (wanted === (this.#leave !== undefined)) return;
    if (wanted) {
      const copy = (group: StoredGroup) => this.#copy(group);
      // Set first: a source that has ended calls `end` at once.
      this.#leave = () => {};
      this.#leave = this.#source.follow({ group: copy, object: copy, end: () => this.store.end() });
    } else {
      this.#leave?.();
      this.#leave = undefined;
      this.store.forget();
    }
  }

  #copy({ groupId, objects }: StoredGroup): void {
    if (this.store.newest?.groupId !== groupId) this.store.begin(groupId);
    const { newest } = this.store;
    for (let next = (newest?.objects.length ?? 0) + 1; next < objects.length; next++) this.store.push(objects[next]!);
  }
}
