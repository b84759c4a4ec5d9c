import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import type { MoqObject, SubgroupHeader } from '../../session/types.ts';
import type { RelayCounters } from '../counters.ts';
import { type Follower, Lane } from './lane.ts';

type CachedObject = {
  readonly objectId: number;
  readonly status: MoqObject['status'];
  readonly properties: Uint8Array | undefined;
  readonly payloadLength: number;
  /** Bytes of the objects of this subgroup before it. */
  readonly offset: number;
  /** `performance.now()`, for delivery timeouts. */
  readonly arrivedAt: number;
  /** As it follows the object before it, in the publisher's dialect. The payload is its tail. */
  readonly bytes: Uint8Array;
};

/** What the bytes of the next object may depend on. */
type Previous = Pick<MoqObject, 'objectId' | 'properties'>;

/** What keeping an object costs beside its bytes, about: a flood of tiny ones must not get far for that. The same of a subgroup. */
export const objectOverhead = 256;
export const subgroupOverhead = 1024;

/** So many trimmed places at least are worth moving the rest for. */
const minMoved = 64;

export type SubgroupEnd = { readonly type: 'finished' } | { readonly type: 'reset'; readonly code: number };

/**
 * The objects of one subgroup, encoded once, and the viewers that follow it. Indexes count objects since the subgroup
 * began and stay valid when the first ones are trimmed.
 */
export class CachedSubgroup {
  readonly header: SubgroupHeader;
  end: SubgroupEnd | undefined;
  /** What it costs to keep, about. */
  bytes = 0;
  /** Of all objects, those trimmed too. */
  #totalBytes = 0;
  /** Index of the oldest object still kept. */
  first = 0;
  /** `performance.now()` of its first object; 0: none came yet. */
  firstArrivedAt = 0;
  #last: Previous | undefined;
  #lastTrimmed: Previous | undefined;
  readonly #dialect: ObjectDialect;
  readonly #counters: RelayCounters;
  /** Those kept begin at `#head`; places before it are empty, and never more than half of all for long. */
  readonly #objects: (CachedObject | undefined)[] = [];
  #head = 0;
  readonly #lanes: Lane[] = [];
  readonly #behind = new Set<Follower>();

  /** `dialect`: the publisher's. */
  constructor(header: SubgroupHeader, dialect: ObjectDialect, counters: RelayCounters) {
    this.header = header;
    this.#dialect = dialect;
    this.#counters = counters;
  }

  get lastObjectId(): number | undefined {
    return this.#last?.objectId;
  }

  /** Index the next object will have. */
  get length(): number {
    return this.first + this.#objects.length - this.#head;
  }

  headAt(index: number): Previous {
    return this.#at(index)!;
  }

  /** The object before `index`, which is kept or was trimmed last. */
  before(index: number): Previous | undefined {
    return this.#at(index - 1) ?? this.#lastTrimmed;
  }

  /** Index of the object of that id; -1: it is not kept. Ids ascend. */
  indexOf(objectId: number): number {
    let low = this.first;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.headAt(middle).objectId < objectId) low = middle + 1;
      else high = middle;
    }
    return low < this.length && this.headAt(low).objectId === objectId ? low : -1;
  }

  /** Its payload is a view of what is kept. */
  objectAt(index: number): MoqObject {
    const { objectId, status, properties, payloadLength, bytes } = this.#at(index)!;
    return { objectId, status, properties, payload: bytes.subarray(bytes.length - payloadLength) };
  }

  /** An object in a dialect; `asFirst`: as the first one of its stream, where the object id is no difference. */
  bytesAt(index: number, dialect: ObjectDialect, asFirst: boolean): Uint8Array {
    const cached = this.#at(index)!;
    if (dialect === this.#dialect && (index === 0 || !asFirst)) return cached.bytes;
    // A follower that is behind and no newcomer has been given the one before, so that is still kept or was just trimmed.
    return this.#encode(cached, dialect, asFirst ? undefined : this.before(index));
  }

  /** Bytes of the objects from `index` on. */
  bytesFrom(index: number): number {
    const from = this.#at(Math.max(this.first, index));
    return from === undefined ? 0 : this.#totalBytes - from.offset;
  }

  arrivedAt(index: number): number {
    return this.#at(index)!.arrivedAt;
  }

  /**
   * Keeps the object, which arrived at `now`, and hands it to every viewer that is not behind. Returns how many bytes it
   * keeps.
   */
  append(object: MoqObject, now: number): number {
    const previous = this.#last;
    const { objectId, status, properties, payload } = object;
    const bytes = encodeAfter(previous, object, this.#dialect, this.header);
    const cached: CachedObject = {
      objectId,
      status,
      properties,
      payloadLength: payload.length,
      offset: this.#totalBytes,
      arrivedAt: now,
      bytes,
    };
    if (previous === undefined) this.firstArrivedAt = now;
    this.#objects.push(cached);
    this.#last = { objectId, properties };
    this.bytes += bytes.length + objectOverhead;
    this.#totalBytes += bytes.length;
    for (const lane of this.#lanes) {
      if (lane.size === 0) continue;
      const said = lane.dialect === this.#dialect ? bytes : this.#said(cached, lane.dialect, previous);
      if (said !== undefined) this.#send(lane, said);
      else for (const follower of lane.clear()) follower.cannotBeSaid();
    }
    for (const follower of this.#behind) follower.grew();
    return bytes.length + objectOverhead;
  }

  /** The follower has written everything up to `length`. */
  follow(follower: Follower): void {
    this.#behind.delete(follower);
    let lane = this.#laneOf(follower);
    if (lane === undefined) {
      lane = new Lane(follower.dialect);
      this.#lanes.push(lane);
    }
    lane.add(follower);
  }

  /** The follower reads at its own pace and calls `follow` when it has caught up. */
  lag(follower: Follower): void {
    this.#behind.add(follower);
  }

  leave(follower: Follower): void {
    if (!this.#behind.delete(follower)) this.#laneOf(follower)?.remove(follower);
  }

  /** The publisher finished it. Viewers that are behind finish when they have caught up. */
  finish(): void {
    this.#close({ type: 'finished' });
    for (const follower of this.#behind) {
      follower.subgroupComplete();
      follower.grew();
    }
  }

  /** The publisher gave it up, or is gone: no viewer may take what it has for the whole. */
  abort(code: number): void {
    this.#close({ type: 'reset', code });
    for (const follower of [...this.#behind]) follower.subgroupEnded();
  }

  /** The same subgroup comes again (another publisher took over): further objects may follow. */
  reopen(): void {
    this.end = undefined;
  }

  /** Forgets the first objects until at most `keepBytes` are left. Returns how many bytes went. Amortised O(1) an object. */
  trimTo(keepBytes: number): number {
    const objects = this.#objects;
    let head = this.#head;
    let last: CachedObject | undefined;
    let left = this.bytes;
    for (; left > keepBytes && head < objects.length; head++) {
      last = objects[head]!;
      objects[head] = undefined;
      left -= last.bytes.length + objectOverhead;
    }
    if (last === undefined) return 0;
    const gone = this.bytes - left;
    this.#lastTrimmed = { objectId: last.objectId, properties: last.properties };
    this.first += head - this.#head;
    this.#head = head;
    this.bytes = left;
    if (head >= minMoved && head * 2 >= objects.length) {
      objects.splice(0, head);
      this.#head = 0;
    }
    for (const follower of [...this.#behind]) follower.trimmed();
    return gone;
  }

  /** undefined: it is no longer kept, or has not come. */
  #at(index: number): CachedObject | undefined {
    const place = this.#head + index - this.first;
    return place < this.#head ? undefined : this.#objects[place];
  }

  #send(lane: Lane, bytes: Uint8Array): void {
    const reached = lane.size;
    const refused = lane.write(bytes);
    const taken = lane.size;
    this.#counters.objectsOut += taken;
    this.#counters.bytesOut += taken * bytes.length;
    if (taken === reached || refused === undefined) return;
    for (const follower of refused) {
      this.#behind.add(follower);
      follower.fellBehind(this.length - 1);
    }
  }

  #encode(cached: CachedObject, dialect: ObjectDialect, previous: Previous | undefined): Uint8Array {
    const payload = cached.bytes.subarray(cached.bytes.length - cached.payloadLength);
    return encodeAfter(previous, { ...cached, payload }, dialect, this.header);
  }

  /** undefined: the dialect has no words for it. What it is written for here is one lane of many: the others go on. */
  #said(cached: CachedObject, dialect: ObjectDialect, previous: Previous | undefined): Uint8Array | undefined {
    try {
      return this.#encode(cached, dialect, previous);
    } catch {
      return undefined;
    }
  }

  #laneOf(follower: Follower): Lane | undefined {
    return this.#lanes.find((lane) => lane.dialect === follower.dialect);
  }

  #close(end: SubgroupEnd): void {
    if (this.end !== undefined) return;
    this.end = end;
    for (const lane of this.#lanes) for (const follower of lane.clear()) follower.subgroupEnded();
  }
}

function encodeAfter(
  previous: Previous | undefined,
  object: MoqObject,
  dialect: ObjectDialect,
  { properties }: SubgroupHeader,
): Uint8Array {
  return dialect.encodeObject(previous?.objectId, object, properties === true, previous?.properties);
}
