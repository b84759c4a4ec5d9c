/** Objects of one group, in order; ids are the indexes. `ended`: no further one comes. */
export type StoredGroup = { readonly groupId: number; readonly objects: Uint8Array[]; bytes: number; ended: boolean };

/** Told of every change of a track. */
export type TrackListener = { group(group: StoredGroup): void; object(group: StoredGroup): void; end(): void };

/** Bytes of the newest group a track may hold. What lies beyond is passed on to nobody: the group is ended there. */
const maxGroupBytes = 64 << 20;
/** A group before the newest is kept when it is no larger. */
const maxPreviousBytes = 8 << 20;

/** The newest group of one track, and who follows it: late subscribers start at its object 0. */
export class TrackStore {
  readonly name: string;
  readonly #listeners = new Set<TrackListener>();
  readonly #demand: ((followers: number) => void) | undefined;
  #newest: StoredGroup | undefined;
  #previous: StoredGroup | undefined;
  #ended = false;

  /** `demand` hears how many follow, on each change: for a track that is only made while somebody wants it. */
  constructor(name: string, demand?: (followers: number) => void) {
    this.name = name;
    this.#demand = demand;
  }

  /** It is only made while somebody follows it. */
  get onDemand(): boolean {
    return this.#demand !== undefined;
  }

  get newest(): StoredGroup | undefined {
    return this.#newest;
  }

  /** The whole group before the newest: an HLS playlist has a segment at once. undefined when it was a large one. */
  get previous(): StoredGroup | undefined {
    return this.#previous;
  }

  get followers(): number {
    return this.#listeners.size;
  }

  begin(groupId: number): void {
    this.#endGroup();
    this.#previous = this.#newest !== undefined && this.#newest.bytes <= maxPreviousBytes ? this.#newest : undefined;
    this.#newest = { groupId, objects: [], bytes: 0, ended: false };
    for (const listener of this.#listeners) listener.group(this.#newest);
  }

  push(payload: Uint8Array): void {
    const group = this.#newest;
    if (group === undefined || group.ended) return;
    if (group.bytes + payload.length > maxGroupBytes) {
      this.#endGroup();
      return;
    }
    group.objects.push(payload);
    group.bytes += payload.length;
    for (const listener of this.#listeners) listener.object(group);
  }

  /** What it holds is no longer live: the next follower waits for the next group. */
  forget(): void {
    this.#endGroup();
    this.#newest = undefined;
    this.#previous = undefined;
  }

  /** No more groups: the broadcast is over. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#endGroup();
    for (const listener of this.#listeners) listener.end();
    this.#listeners.clear();
  }

  /** The listener first hears of the newest group, if there is one. Returns the way out. */
  follow(listener: TrackListener): () => void {
    if (this.#newest !== undefined) listener.group(this.#newest);
    if (this.#ended) listener.end();
    else {
      this.#listeners.add(listener);
      this.#demand?.(this.#listeners.size);
    }
    return () => {
      if (this.#listeners.delete(listener)) this.#demand?.(this.#listeners.size);
    };
  }

  #endGroup(): void {
    if (this.#newest === undefined || this.#newest.ended) return;
    this.#newest.ended = true;
    for (const listener of this.#listeners) listener.object(this.#newest);
  }
}
