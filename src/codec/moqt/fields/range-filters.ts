import { StreamsError } from '../../../core/errors.ts';
import type { Varints } from '../varint.ts';
import { WireReader, WireWriter } from '../wire.ts';

/** Both ends inclusive; without an end, all from `start` on. Values of properties have 64 bits. */
export type ValueRange = { readonly start: bigint; readonly end?: bigint };

/** One filter of set 0 … 255: what it looks at has to be in one of the ranges. `property`: its type, where it looks at one. */
export type RangeSet = { readonly set: number; readonly property?: number; readonly ranges: readonly ValueRange[] };

/** What a filter looks at; `trackProperty` chooses among the tracks of SUBSCRIBE_TRACKS, the others among objects. */
export type RangeKind = 'subgroup' | 'object' | 'priority' | 'objectProperty' | 'trackProperty';

/**
 * Range filters (draft-19 5.1.3). Those of one set must all pass, and one set is enough. In an update a kind replaces all of that kind,
 * and none removes them; what is absent stays.
 */
export type RangeFilters = { readonly [kind in RangeKind]?: readonly RangeSet[] };

export const rangeFilterTypes: Readonly<Record<RangeKind, number>> = {
  subgroup: 0x25,
  object: 0x26,
  priority: 0x27,
  objectProperty: 0x28,
  trackProperty: 0x29,
};
export const rangeKinds = Object.keys(rangeFilterTypes) as RangeKind[];

const maxValue = (1n << 64n) - 1n;
/** More of one kind nobody may have. */
const maxSets = 256;

/**
 * One more parameter of a kind; an empty value adds nothing. Throws StreamsError for what INVALID_FILTER answers: the request, not the session,
 * is at fault.
 */
export function withRangeSet(
  filters: RangeFilters,
  kind: RangeKind,
  value: Uint8Array,
  varints: Varints,
): RangeFilters {
  const before = filters[kind] ?? [];
  if (value.length === 0) return { ...filters, [kind]: before };
  if (before.length >= maxSets) throw invalid(`more than ${maxSets} filters`);
  const one = readRangeSet(new WireReader(value, varints), kind);
  if (before.some(({ set, property }) => set === one.set && property === one.property))
    throw invalid(`set ${one.set} has a filter twice`);
  return { ...filters, [kind]: [...before, one] };
}

function readRangeSet(reader: WireReader, kind: RangeKind): RangeSet {
  const set = reader.u8();
  const property = hasProperty(kind) ? readPropertyType(reader) : undefined;
  const ranges: ValueRange[] = [];
  let previous = 0n;
  while (reader.remaining > 0) {
    const start = added(previous, reader, kind);
    if (reader.remaining === 0) {
      ranges.push({ start });
      break;
    }
    previous = added(start, reader, kind);
    ranges.push({ start, end: previous });
  }
  return property === undefined ? { set, ranges } : { set, property, ranges };
}

function hasProperty(kind: RangeKind): boolean {
  return kind === 'objectProperty' || kind === 'trackProperty';
}

/** Only even types hold an integer (1.4.3). Those above 2^53-1 are nobody's here. */
function readPropertyType(reader: WireReader): number {
  const type = reader.varintBig();
  if (type % 2n === 1n) throw invalid(`property 0x${type.toString(16)} is no integer`);
  if (type > BigInt(Number.MAX_SAFE_INTEGER)) throw invalid(`property 0x${type.toString(16)} is not known`);
  return Number(type);
}

function added(base: bigint, reader: WireReader, kind: RangeKind): bigint {
  const value = base + reader.varintBig();
  if (value > maxValue) throw invalid('a range beyond 2^64-1');
  if (kind === 'priority' && value > 255n) throw invalid(`priority ${value}`);
  return value;
}

/** Throws INVALID_ARGUMENT for ranges that do not ascend, or go on behind one without an end. */
export function writeRangeSet(writer: WireWriter, { set, property, ranges }: RangeSet): void {
  if (!(set >= 0 && set <= 255)) throw invalid(`set ${set} is not within 0 … 255`);
  const inner = new WireWriter(writer.varints, 32).u8(set);
  if (property !== undefined) inner.varint(property);
  let previous: bigint | undefined = 0n;
  for (const { start, end } of ranges) {
    if (previous === undefined) throw invalid('a range behind one without an end');
    inner.varint(start - previous);
    if (end !== undefined) inner.varint(end - start);
    previous = end;
  }
  writer.lengthPrefixed(inner.finish());
}

/** What they are after an update; undefined: there are none. */
export function updatedFilters(before: RangeFilters | undefined, changes: RangeFilters): RangeFilters | undefined {
  const kinds = Object.entries({ ...before, ...changes }).filter(([, sets]) => sets.length > 0);
  return kinds.length === 0 ? undefined : Object.fromEntries(kinds);
}

/** For MAX_FILTER_RANGES (10.3.1.6). A filter without a range, which nothing passes, counts as well. */
export function countRanges(filters: RangeFilters): number {
  return Object.values(filters)
    .flat()
    .reduce((sum, { ranges }) => sum + Math.max(1, ranges.length), 0);
}

function invalid(reason: string): StreamsError {
  return new StreamsError('INVALID_ARGUMENT', reason);
}
