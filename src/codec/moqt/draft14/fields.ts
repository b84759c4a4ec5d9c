import { readFilter } from '../fields/filter.ts';
import { readTrackProperties } from '../fields/track-properties.ts';
import type { GroupOrder, Location, SubscriptionFilter } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import { vi64 } from '../varint.ts';
import type { WireReader, WireWriter } from '../wire.ts';

/** Fields that draft-14 has in several messages, and later versions among their parameters. */

/** Group Order where the sender may leave it to the publisher: 0. */
export function readWantedOrder(reader: WireReader): GroupOrder | undefined {
  const value = reader.u8();
  if (value > 2) throw protocolViolation(`Group Order ${value}`);
  return value === 0 ? undefined : value === 1 ? 'ascending' : 'descending';
}

/** Group Order where it has to be one. */
export function readOrder(reader: WireReader): GroupOrder {
  const order = readWantedOrder(reader);
  if (order === undefined) throw protocolViolation('Group Order 0');
  return order;
}

export function writeOrder(writer: WireWriter, order: GroupOrder | undefined): void {
  writer.u8(order === undefined ? 0 : order === 'ascending' ? 1 : 2);
}

/** The order that the properties of a track tell. */
export function orderOf(properties: Uint8Array): GroupOrder {
  return readTrackProperties(vi64, properties).defaultGroupOrder;
}

export function readFlag(reader: WireReader, name: string): boolean {
  const value = reader.u8();
  if (value > 1) throw protocolViolation(`${name} ${value}`);
  return value === 1;
}

/** From {0, 0} on is everything there is: what became a subscription without a filter. */
export function readSubscriptionFilter(reader: WireReader): SubscriptionFilter {
  const filter = readFilter(reader, 'absolute');
  const isAll = filter.type === 'absoluteStart' && filter.start.group === 0 && filter.start.object === 0;
  return isAll ? { type: 'unfiltered' } : filter;
}

/** Content Exists, and Largest Location if so. */
export function readLargest(reader: WireReader): { largestObject?: Location } {
  return readFlag(reader, 'Content Exists') ? { largestObject: reader.location() } : {};
}

export function writeLargest(writer: WireWriter, largest: Location | undefined): void {
  writer.u8(largest === undefined ? 0 : 1);
  if (largest !== undefined) writer.location(largest);
}
