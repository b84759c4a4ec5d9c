import type { ObjectDatagram } from '../data/datagram.ts';
import { decodeDatagram as decodeAny, encodeDatagram as encodeAny } from '../data/datagram.ts';
import { FetchDecoder, FetchEncoder, type FetchItem } from '../data/fetch-stream.ts';
import { encodeObject as encodeAnyObject, SubgroupDecoder } from '../data/object-stream.ts';
import type { GroupOrder, MoqObject } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import { quicVarints } from '../quic-varints.ts';
import { objectFromExtensions, objectToExtensions } from './properties.ts';

/** draft-16 10: the objects of draft-18 with QUIC's integers, also inside of extension headers. */

export function encodeObject(previous: number | undefined, object: MoqObject, withProperties: boolean): Uint8Array {
  return encodeAnyObject(quicVarints, previous, objectToExtensions(object), withProperties);
}

/** draft-16 10.4.2 */
export class Draft16SubgroupDecoder extends SubgroupDecoder {
  constructor(options?: { maxObjectBytes?: number }) {
    super(quicVarints, options);
  }

  override push(bytes: Uint8Array): MoqObject[] {
    return super.push(bytes).map(objectFromExtensions);
  }
}

/** draft-16 10.4.4: group and object ids are absolute. */
export class Draft16FetchEncoder extends FetchEncoder {
  constructor(order: GroupOrder) {
    super(quicVarints, order, { absoluteIds: true });
  }

  override encode(item: FetchItem): Uint8Array {
    return super.encode(item.kind === 'object' ? { ...item, object: objectToExtensions(item.object) } : item);
  }
}

export class Draft16FetchDecoder extends FetchDecoder {
  constructor(order: GroupOrder, options?: { maxObjectBytes?: number }) {
    super(quicVarints, order, { ...options, absoluteIds: true });
  }

  override push(bytes: Uint8Array): FetchItem[] {
    return super
      .push(bytes)
      .map((item) => (item.kind === 'object' ? { ...item, object: objectFromExtensions(item.object) } : item));
  }
}

/** draft-16 10.3.1 */
export function encodeDatagram(datagram: ObjectDatagram): Uint8Array {
  return encodeAny(quicVarints, { ...datagram, object: objectToExtensions(datagram.object) });
}

export function decodeDatagram(bytes: Uint8Array): ObjectDatagram {
  const datagram = decodeAny(quicVarints, bytes);
  if (datagram === undefined) throw protocolViolation('unknown datagram type');
  return { ...datagram, object: objectFromExtensions(datagram.object) };
}
