import { emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import { checkProperties } from '../fields/key-value-pairs.ts';
import type { MoqObject } from '../model.ts';
import { MoqtError, protocolViolation } from '../moqt-error.ts';
import { type Varints, vi64 } from '../varint.ts';
import { WireReader, WireWriter } from '../wire.ts';
import { refuseProperties, type StatusOptions, statusCodes, statusOf } from './object-stream.ts';

/** draft-18 11.3.1 OBJECT_DATAGRAM. */
export type ObjectDatagram = {
  readonly trackAlias: number;
  readonly groupId: number;
  /** Publisher priority; absent: the subscription's default. */
  readonly priority?: number;
  readonly endOfGroup: boolean;
  readonly object: MoqObject;
};

/** draft-18 11.5.2 */
export const paddingDatagramType = 0x132b3e29;

/** A datagram that says nothing (draft-18 11.5.2). */
export function encodePaddingDatagram(varints: Varints, paddingBytes: number): Uint8Array {
  const writer = new WireWriter(varints, 16 + paddingBytes);
  return writer.varint(paddingDatagramType).bytes(new Uint8Array(paddingBytes)).finish();
}

const bit = { properties: 0x01, endOfGroup: 0x02, zeroObjectId: 0x04, defaultPriority: 0x08, status: 0x20 } as const;

/**
 * undefined: a padding datagram, or with `olderStatus` (draft-14) an object that does not exist: to be thrown away. Throws MoqtError.
 */
export function decodeDatagram(
  varints: Varints,
  bytes: Uint8Array,
  options: StatusOptions = {},
): ObjectDatagram | undefined {
  const reader = new WireReader(bytes, varints);
  try {
    const type = reader.varint();
    if (type === paddingDatagramType) return undefined;
    return readObjectDatagram(reader, varints, type, options.olderStatus ?? false);
  } catch (error) {
    if (error instanceof MoqtError) throw error;
    throw protocolViolation(`datagram: ${(error as Error).message}`, error);
  }
}

function readObjectDatagram(
  reader: WireReader,
  varints: Varints,
  type: number,
  olderStatus: boolean,
): ObjectDatagram | undefined {
  const hasStatus = (type & bit.status) !== 0;
  const endOfGroup = (type & bit.endOfGroup) !== 0;
  if (type > 0x2f || (type & 0x10) !== 0 || (hasStatus && endOfGroup))
    throw protocolViolation(`datagram type 0x${type.toString(16)}`);
  const trackAlias = reader.varint();
  const groupId = reader.varint();
  const objectId = (type & bit.zeroObjectId) !== 0 ? 0 : reader.varint();
  const priority = (type & bit.defaultPriority) !== 0 ? undefined : reader.u8();
  let properties: Uint8Array | undefined;
  if ((type & bit.properties) !== 0) {
    properties = reader.lengthPrefixed();
    if (properties.length === 0) throw protocolViolation('datagram with empty properties');
    if (varints === vi64) checkProperties(properties, vi64);
  }
  const status = hasStatus ? statusOf(reader.varint(), olderStatus) : 'normal';
  if (properties !== undefined) refuseProperties(status, olderStatus);
  if (status === 'doesNotExist') return undefined;
  if (hasStatus && reader.remaining > 0) throw protocolViolation('bytes after the status of a datagram');
  const object: MoqObject = { objectId, status, properties, payload: hasStatus ? emptyBytes : reader.rest() };
  return { trackAlias, groupId, endOfGroup, object, ...(priority !== undefined && { priority }) };
}

/** Throws INVALID_ARGUMENT for what the draft cannot say: payload or properties on a status, a status that ends the group. */
export function encodeDatagram(
  varints: Varints,
  datagram: ObjectDatagram,
  /** `explicitStatusId`: a status says its object id even if it is 0 (draft-14). */
  options: { explicitStatusId?: boolean } = {},
): Uint8Array {
  const { object, priority, endOfGroup } = datagram;
  const properties = object.properties ?? emptyBytes;
  const isStatus = object.status !== 'normal';
  if (isStatus && (endOfGroup || properties.length > 0 || object.payload.length > 0))
    throw new StreamsError('INVALID_ARGUMENT', `${object.status} has no payload, properties or end-of-group bit`);
  const zeroObjectId = object.objectId === 0 && !(isStatus && options.explicitStatusId === true);
  const type =
    (properties.length > 0 ? bit.properties : 0) |
    (endOfGroup ? bit.endOfGroup : 0) |
    (zeroObjectId ? bit.zeroObjectId : 0) |
    (priority === undefined ? bit.defaultPriority : 0) |
    (isStatus ? bit.status : 0);
  const writer = new WireWriter(varints, 32 + properties.length + object.payload.length);
  writer.varint(type).varint(datagram.trackAlias).varint(datagram.groupId);
  if (!zeroObjectId) writer.varint(object.objectId);
  if (priority !== undefined) writer.priority(priority);
  if (properties.length > 0) writer.lengthPrefixed(properties);
  if (isStatus) writer.varint(statusCodes[object.status]);
  return writer.bytes(object.payload).finish();
}
