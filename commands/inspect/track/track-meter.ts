/** Times in ms, sizes in bytes. */
export type TrackSummary = {
  groups: number;
  subgroups: number;
  objects: number;
  bytes: number;
  /** Bits a second, from the first object to the last. */
  bitrate: number;
  objectBytes: Spread;
  /** Of groups that were seen whole: their objects, bytes, and the time from one group's first object to the next one's. */
  groupObjects: Spread;
  groupBytes: Spread;
  groupIntervalMs: Spread;
  objectIntervalMs: Spread;
  /** How far arrivals lie off an even pace: the mean distance of object intervals from their median. */
  jitterMs: number;
  gaps: Gap[];
  /** More than are listed, where there were very many. */
  gapCount: number;
};

export type Spread = { min: number; median: number; p99: number; max: number };

export type Gap =
  | { kind: 'groups'; fromGroup: number; toGroup: number }
  | { kind: 'objects'; groupId: number; missing: number }
  | { kind: 'reset'; groupId: number; subgroupId: number; code: number };

export type GroupRow = {
  groupId: number;
  subgroups: number;
  objects: number;
  bytes: number;
  firstAt: number;
  lastAt: number;
};

type Group = GroupRow & { ids: Set<number> };

const keptGroups = 64;
const keptValues = 20_000;
const keptGaps = 200;
/** A jump over more groups than this is a gap at once: the publisher began anew. */
const longestWait = 1000;
/** Object ids a group may have before its holes are no longer looked for. */
const maxIds = 100_000;

/** Counts what one subscription delivers, stream by stream as it comes; nothing is put in order. */
export class TrackMeter {
  readonly #groups = new Map<number, Group>();
  readonly #sizes: number[] = [];
  readonly #intervals: number[] = [];
  readonly #groupSizes: number[] = [];
  readonly #groupCounts: number[] = [];
  readonly #groupIntervals: number[] = [];
  readonly #gaps: Gap[] = [];
  readonly #absent = new Set<number>();
  #gapCount = 0;
  #groupCount = 0;
  #subgroups = 0;
  #objects = 0;
  #bytes = 0;
  #first: number | undefined;
  #last = 0;
  #lastGroup: Group | undefined;
  #firstGroup: number | undefined;
  #newest = -1;

  subgroup(groupId: number): void {
    this.#subgroups++;
    this.#group(groupId).subgroups++;
  }

  object(object: { groupId: number; objectId: number; bytes: number; at: number }): void {
    const { groupId, objectId, bytes, at } = object;
    const group = this.#group(groupId);
    if (group.objects === 0) {
      group.firstAt = at;
      const before = this.#lastGroup;
      if (before !== undefined && groupId === before.groupId + 1) keep(this.#groupIntervals, at - before.firstAt);
      if (before === undefined || groupId > before.groupId) this.#lastGroup = group;
    }
    group.objects++;
    group.bytes += bytes;
    group.lastAt = at;
    if (group.ids.size < maxIds) group.ids.add(objectId);
    keep(this.#sizes, bytes);
    if (this.#first !== undefined) keep(this.#intervals, at - this.#last);
    this.#first ??= at;
    this.#last = at;
    this.#objects++;
    this.#bytes += bytes;
  }

  reset(groupId: number, subgroupId: number, code: number): void {
    this.#gap({ kind: 'reset', groupId, subgroupId, code });
  }

  /** The newest groups, oldest first. */
  rows(): GroupRow[] {
    return [...this.#groups.values()].sort((a, b) => a.groupId - b.groupId).map(({ ids: _ids, ...row }) => row);
  }

  summary(): TrackSummary {
    const over = [...this.#groups.values()].filter(({ groupId }) => groupId < this.#newest);
    const whole = over.filter(({ groupId }) => groupId !== this.#firstGroup);
    const open = [...this.#absentGroups(), ...over.flatMap((group) => this.#absentObjects(group))];
    const spanMs = this.#first === undefined ? 0 : this.#last - this.#first;
    const objectIntervalMs = spread(this.#intervals);
    const offs = this.#intervals.map((interval) => Math.abs(interval - objectIntervalMs.median));
    return {
      groups: this.#groupCount,
      subgroups: this.#subgroups,
      objects: this.#objects,
      bytes: this.#bytes,
      bitrate: spanMs === 0 ? 0 : Math.round((this.#bytes * 8000) / spanMs),
      objectBytes: spread(this.#sizes),
      groupObjects: spread([...this.#groupCounts, ...whole.map(({ objects }) => objects)]),
      groupBytes: spread([...this.#groupSizes, ...whole.map(({ bytes }) => bytes)]),
      groupIntervalMs: spread(this.#groupIntervals),
      objectIntervalMs,
      jitterMs: offs.length === 0 ? 0 : tenth(offs.reduce((sum, off) => sum + off, 0) / offs.length),
      gaps: [...this.#gaps, ...open].slice(0, keptGaps),
      gapCount: this.#gapCount + open.length,
    };
  }

  #group(groupId: number): Group {
    let group = this.#groups.get(groupId);
    if (group !== undefined) return group;
    this.#firstGroup ??= groupId;
    this.#absent.delete(groupId);
    if (this.#newest >= 0 && groupId - this.#newest > longestWait)
      this.#gap({ kind: 'groups', fromGroup: this.#newest + 1, toGroup: groupId - 1 });
    else if (this.#newest >= 0) for (let id = this.#newest + 1; id < groupId; id++) this.#absent.add(id);
    this.#newest = Math.max(this.#newest, groupId);
    group = { groupId, subgroups: 0, objects: 0, bytes: 0, firstAt: 0, lastAt: 0, ids: new Set() };
    this.#groups.set(groupId, group);
    this.#groupCount++;
    const oldest = this.#groups.size > keptGroups ? this.#groups.values().next().value : undefined;
    if (oldest !== undefined) this.#leave(oldest);
    return group;
  }

  /** Streams overtake each other, so a group is judged for good only when many newer ones are there. */
  #leave(group: Group): void {
    this.#groups.delete(group.groupId);
    for (const gap of this.#absentObjects(group)) this.#gap(gap);
    if (group.groupId !== this.#firstGroup) {
      keep(this.#groupCounts, group.objects);
      keep(this.#groupSizes, group.bytes);
    }
    for (const gap of this.#absentGroups(group.groupId)) this.#gap(gap);
    for (const id of this.#absent) if (id < group.groupId) this.#absent.delete(id);
  }

  /** Holes between the objects of a group; the one we joined in may lack its beginning. */
  #absentObjects({ groupId, ids }: Group): Gap[] {
    const sorted = [...ids].sort((a, b) => a - b);
    const first = groupId === this.#firstGroup ? (sorted[0] ?? 0) : 0;
    const missing = sorted.length === 0 ? 0 : sorted.at(-1)! - first + 1 - sorted.length;
    return missing > 0 ? [{ kind: 'objects', groupId, missing }] : [];
  }

  /** Runs of groups that never came. */
  #absentGroups(before = Number.POSITIVE_INFINITY): Gap[] {
    const gaps: { kind: 'groups'; fromGroup: number; toGroup: number }[] = [];
    for (const id of [...this.#absent].sort((a, b) => a - b)) {
      if (id >= before) break;
      const last = gaps.at(-1);
      if (last !== undefined && last.toGroup === id - 1) last.toGroup = id;
      else gaps.push({ kind: 'groups', fromGroup: id, toGroup: id });
    }
    return gaps;
  }

  #gap(gap: Gap): void {
    this.#gapCount++;
    if (this.#gaps.length < keptGaps) this.#gaps.push(gap);
  }
}

/** The newest values; the oldest half goes at once, so that keeping stays cheap. */
function keep(values: number[], value: number): void {
  if (values.length === keptValues) values.splice(0, keptValues / 2);
  values.push(value);
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => tenth(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return { min: at(0), median: at(0.5), p99: at(0.99), max: at(1) };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
