type Lane<T> = { readonly priority: number; readonly items: Set<T> };

/** What waits to be sent, by priority: the higher lane first, in a lane whoever has waited longest. */
export class PriorityLanes<T> {
  /** By ascending priority; none is empty. */
  readonly #lanes: Lane<T>[] = [];
  readonly #laneOf = new Map<T, Lane<T>>();

  /** The highest priority with anything in it; undefined when all is empty. */
  get top(): number | undefined {
    return this.#lanes.at(-1)?.priority;
  }

  first(): T | undefined {
    for (const item of this.#lanes.at(-1)?.items ?? []) return item;
    return undefined;
  }

  /** At the end of its lane; it keeps its place when it has one there. */
  add(item: T, priority: number): void {
    if (this.#laneOf.get(item)?.priority === priority) return;
    this.delete(item);
    const at = this.#position(priority);
    let lane = this.#lanes[at];
    if (lane?.priority !== priority) {
      lane = { priority, items: new Set() };
      this.#lanes.splice(at, 0, lane);
    }
    lane.items.add(item);
    this.#laneOf.set(item, lane);
  }

  delete(item: T): void {
    const lane = this.#laneOf.get(item);
    if (lane === undefined) return;
    this.#laneOf.delete(item);
    lane.items.delete(item);
    if (lane.items.size === 0) this.#lanes.splice(this.#position(lane.priority), 1);
  }

  clear(): void {
    this.#lanes.length = 0;
    this.#laneOf.clear();
  }

  /** Of the first lane with at least this priority. */
  #position(priority: number): number {
    let low = 0;
    let high = this.#lanes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#lanes[middle]!.priority < priority) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
