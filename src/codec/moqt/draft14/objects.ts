import { emptyBytes } from '../../../core/bytes.ts';
import type { ObjectDatagram } from '../data/datagram.ts';
import { decodeDatagram as decodeAny, encodeDatagram as encodeAny } from '../data/datagram.ts';
import { extensionHeaders } from '../data/extension-headers.ts';
import { encodeObject as encodeAnyObject, SubgroupDecoder } from '../data/object-stream.ts';
import type { MoqObject } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import { quicVarints } from '../quic-varints.ts';
import { WireReader } from '../wire.ts';

/** draft-14 10: the objects of draft-18 with QUIC's integers, also inside of extension headers, whose types are no deltas. */
export const { objectFromExtensions, objectToExtensions } = extensionHeaders('absolute');

/** What a track has that says nothing else (draft-18 12.4). */
export const defaultPriority = 128;

export function encodeObject(previous: number | undefined, object: MoqObject, withProperties: boolean): Uint8Array {
  return encodeAnyObject(quicVarints, previous, objectToExtensions(object), withProperties);
}

/** draft-14 10.4.2. That an object does not exist is not told further. */
export class Draft14SubgroupDecoder extends SubgroupDecoder {
  constructor(options?: { maxObjectBytes?: number }) {
    super(quicVarints, { ...options, olderStatus: true });
  }

  override push(bytes: Uint8Array): MoqObject[] {
    return super.push(bytes).map(objectFromExtensions);
  }
}

/** draft-14 10.3.1: bits of the type; a status has its object id in words. */
const bit = { properties: 0x01, zeroObjectId: 0x04, status: 0x20 } as const;
const highestPayloadType = 0x07;

export function encodeDatagram(datagram: ObjectDatagram): Uint8Array {
  const { priority = defaultPriority, object } = datagram;
  return encodeAny(
    quicVarints,
    { ...datagram, priority, object: objectToExtensions(object) },
    { explicitStatusId: true },
  );
}

/** undefined: it says of an object that it does not exist. */
export function decodeDatagram(bytes: Uint8Array): ObjectDatagram | undefined {
  const isCut = bytes.length === 0 || bytes.length < quicVarints.lengthOf(bytes[0]!);
  const type = isCut ? 0 : quicVarints.read(new WireReader(bytes, quicVarints));
  if (type > highestPayloadType && (type & ~bit.properties) !== bit.status)
    throw protocolViolation(`datagram type 0x${type.toString(16)}`);
  const datagram = decodeAny(quicVarints, bytes, { olderStatus: true });
  if (datagram === undefined) return undefined;
  const { object } = datagram;
  // Later, a status has no properties.
  if (object.status !== 'normal') return { ...datagram, object: { ...object, properties: undefined } };
  return { ...datagram, object: object.properties === emptyBytes ? object : objectFromExtensions(object) };
}
