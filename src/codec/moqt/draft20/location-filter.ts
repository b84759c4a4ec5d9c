import { endGroupOf } from '../fields/filter.ts';
import type { Location, SubscriptionFilter } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import { boundedInteger, type WireReader, WireWriter } from '../wire.ts';

/**
 * LOCATION_FILTER since draft-20 (5.1.2): a range of locations, both ends inclusive. `relative`: from so many groups before the next one.
 * Without an end group it is open, without an end object the end group passes as a whole.
 */
export type LocationFilter =
  | { readonly kind: 'all' }
  | { readonly kind: 'nextObject' }
  | { readonly kind: 'relative'; readonly groups: number }
  | { readonly kind: 'absolute'; readonly start: Location; readonly endGroup?: number; readonly endObject?: number };

/** How a version writes it. */
export type LocationFilterForm = {
  read(reader: WireReader): LocationFilter;
  write(writer: WireWriter, filter: LocationFilter): void;
};

type Absolute = LocationFilter & { readonly kind: 'absolute' };

/** Start group and object, how many groups it goes on, the last object. */
function absolute([group = 0n, object = 0n, delta, endObject]: readonly bigint[]): Absolute {
  return {
    kind: 'absolute',
    start: { group: boundedInteger(group), object: boundedInteger(object) },
    ...(delta !== undefined && { endGroup: endGroupOf(group, delta) }),
    ...(endObject !== undefined && { endObject: boundedInteger(endObject) }),
  };
}

function writeAbsolute(writer: WireWriter, { start, endGroup, endObject }: Absolute): void {
  writer.location(start);
  if (endGroup !== undefined) writer.varint(endGroup - start.group);
  if (endObject !== undefined) writer.varint(endObject);
}

/** draft-20, draft-21: a length, and up to four integers whose number tells what they are. */
export const countedForm: LocationFilterForm = {
  read(reader) {
    const end = reader.varint();
    const stop = reader.remaining - end;
    if (stop < 0) throw protocolViolation('a location filter cut short');
    const fields: bigint[] = [];
    while (reader.remaining > stop) if (fields.push(reader.varintBig()) > 4) break;
    if (reader.remaining !== stop || fields.length > 4) throw protocolViolation('a location filter of odd length');
    const [group, object] = fields;
    if (group === undefined) return { kind: 'all' };
    if (object === undefined) return { kind: 'relative', groups: boundedInteger(group) };
    return fields.length === 2 && group === 0n && object === 0n ? { kind: 'nextObject' } : absolute(fields);
  },
  write(writer, filter) {
    const inner = new WireWriter(writer.varints, 32);
    if (filter.kind === 'relative') inner.varint(filter.groups);
    else if (filter.kind === 'nextObject') inner.varint(0).varint(0);
    // From {0, 0} on without an end is everything: in words it would be the next object.
    else if (filter.kind === 'absolute' && !isAll(filter)) writeAbsolute(inner, filter);
    writer.lengthPrefixed(inner.finish());
  },
};

function isAll({ start, endGroup }: Absolute): boolean {
  return start.group === 0 && start.object === 0 && endGroup === undefined;
}

const types = { all: 0x0, relative: 0x1, absolute: 0x2, groupEnd: 0x3, range: 0x4, nextObject: 0x5 } as const;

/** draft-22: a type, and the fields that it names. */
export const typedForm: LocationFilterForm = {
  read(reader) {
    const type = reader.varint();
    switch (type) {
      case types.all:
        return { kind: 'all' };
      case types.relative:
        return { kind: 'relative', groups: reader.bounded() };
      case types.nextObject:
        return { kind: 'nextObject' };
      case types.absolute:
      case types.groupEnd:
      case types.range:
        // The number of the type is how many fields there are.
        return absolute(Array.from({ length: type }, () => reader.varintBig()));
      default:
        throw protocolViolation(`location filter 0x${type.toString(16)}`);
    }
  },
  write(writer, filter) {
    if (filter.kind !== 'absolute') {
      writer.varint(types[filter.kind]);
      if (filter.kind === 'relative') writer.varint(filter.groups);
      return;
    }
    const { endGroup, endObject } = filter;
    writer.varint(endGroup === undefined ? types.absolute : endObject === undefined ? types.groupEnd : types.range);
    writeAbsolute(writer, filter);
  },
};

/** As a filter of a subscription, which only ever gets what is published from now on: from the current group, or one before, on is everything. */
export function toSubscriptionFilter(filter: LocationFilter): SubscriptionFilter {
  switch (filter.kind) {
    case 'all':
      return { type: 'unfiltered' };
    case 'nextObject':
      return { type: 'largestObject' };
    case 'relative':
      return filter.groups === 0 ? { type: 'nextGroup' } : { type: 'unfiltered' };
    case 'absolute': {
      const { start, endGroup, endObject } = filter;
      if (endGroup === undefined) return { type: 'absoluteStart', start };
      return { type: 'absoluteRange', start, endGroup, ...(endObject !== undefined && { endObject }) };
    }
  }
}

export function fromSubscriptionFilter(filter: SubscriptionFilter): LocationFilter {
  switch (filter.type) {
    case 'unfiltered':
      return { kind: 'all' };
    case 'largestObject':
      return { kind: 'nextObject' };
    case 'nextGroup':
      return { kind: 'relative', groups: 0 };
    case 'absoluteStart':
      return { kind: 'absolute', start: filter.start };
    case 'absoluteRange': {
      const { type: _, ...range } = filter;
      return { kind: 'absolute', ...range };
    }
  }
}
