import type { SubscriptionFilter } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import type { WireReader, WireWriter } from '../wire.ts';

/** draft-16 5.1.2. Unlike in draft-18 the end group is absolute. */
export function readFilter(reader: WireReader): SubscriptionFilter {
  const type = reader.varint();
  switch (type) {
    case 0x1:
      return { type: 'nextGroup' };
    case 0x2:
      return { type: 'largestObject' };
    case 0x3:
      return { type: 'absoluteStart', start: reader.location() };
    case 0x4: {
      const start = reader.location();
      const endGroup = reader.varint();
      if (endGroup < start.group) throw protocolViolation('the filter ends before it starts');
      return { type: 'absoluteRange', start, endGroup };
    }
    default:
      throw protocolViolation(`subscription filter 0x${type.toString(16)}`);
  }
}

/** An unfiltered subscription, where it has to be said, is AbsoluteStart {0, 0}. */
export function writeFilter(writer: WireWriter, filter: SubscriptionFilter): void {
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
      writer.varint(0x4).location(filter.start).varint(filter.endGroup);
  }
}
