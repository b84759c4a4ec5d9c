import type { SubscriptionFilter } from './model.ts';
import { protocolViolation } from './moqt-error.ts';
import type { Varints } from './varint.ts';
import type { WireWriter } from './wire.ts';
import { WireReader } from './wire.ts';

/** draft-18 5.1.2. An unfiltered subscription has no filter on the wire; as one, it is AbsoluteStart {0, 0}. */
export function readFilter(bytes: Uint8Array, varints: Varints): SubscriptionFilter {
  const reader = new WireReader(bytes, varints);
  const type = reader.varint();
  const filter = body(reader, type);
  if (reader.remaining > 0) throw protocolViolation('bytes after the subscription filter');
  return filter;
}

function body(reader: WireReader, type: number): SubscriptionFilter {
  switch (type) {
    case 0x1:
      return { type: 'nextGroup' };
    case 0x2:
      return { type: 'largestObject' };
    case 0x3:
      return { type: 'absoluteStart', start: reader.location() };
    case 0x4: {
      const start = reader.location();
      const endGroup = start.group + reader.varint();
      if (!Number.isSafeInteger(endGroup)) throw protocolViolation('end group out of range');
      return { type: 'absoluteRange', start, endGroup };
    }
    default:
      throw protocolViolation(`subscription filter 0x${type.toString(16)}`);
  }
}

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
      writer
        .varint(0x4)
        .location(filter.start)
        .varint(filter.endGroup - filter.start.group);
  }
}
