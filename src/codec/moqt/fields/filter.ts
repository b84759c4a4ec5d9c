import { StreamsError } from '../../../core/errors.ts';
import type { SubscriptionFilter } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import { boundedInteger, type WireReader, type WireWriter } from '../wire.ts';

/** How a version says the last group of a range: as it is (up to draft-16), or as what is added to the first (draft-17 on). */
export type EndGroupForm = 'absolute' | 'added';

const maxId = (1n << 64n) - 1n;

/** `end` groups behind `start`. Ids of ours are below 2^53: an end behind them is none. Throws PROTOCOL_VIOLATION above 2^64-1 (draft-18 5.1.2). */
export function endGroupOf(start: bigint, end: bigint): number {
  if (start + end > maxId) throw protocolViolation('end group above 2^64-1');
  return boundedInteger(start + end);
}

/** draft-16 and draft-18 5.1.2. */
export function readFilter(reader: WireReader, form: EndGroupForm): SubscriptionFilter {
  const type = reader.varint();
  switch (type) {
    case 0x1:
      return { type: 'nextGroup' };
    case 0x2:
      return { type: 'largestObject' };
    case 0x3:
      return { type: 'absoluteStart', start: reader.boundedLocation() };
    case 0x4: {
      const group = reader.varintBig();
      const start = { group: boundedInteger(group), object: reader.bounded() };
      const endGroup = endGroupOf(form === 'added' ? group : 0n, reader.varintBig());
      if (endGroup < start.group) throw protocolViolation('the filter ends before it starts');
      return { type: 'absoluteRange', start, endGroup };
    }
    default:
      throw protocolViolation(`subscription filter 0x${type.toString(16)}`);
  }
}

/** An unfiltered subscription has no filter on the wire; where it has to be said, it is AbsoluteStart {0, 0}. */
export function writeFilter(writer: WireWriter, filter: SubscriptionFilter, form: EndGroupForm): void {
  switch (filter.type) {
    case 'nextGroup':
      writer.varint(0x1);
      return;
    case 'largestObject':
      writer.varint(0x2);
      return;
    case 'unfiltered':
      writer.varint(0x3).location({ group: 0, object: 0 });
      return;
    case 'absoluteStart':
      writer.varint(0x3).location(filter.start);
      return;
    case 'absoluteRange':
      if (filter.endObject !== undefined)
        throw new StreamsError('UNSUPPORTED', 'a subscription of this version ends with a whole group');
      writer
        .varint(0x4)
        .location(filter.start)
        .varint(filter.endGroup - (form === 'added' ? filter.start.group : 0));
  }
}
