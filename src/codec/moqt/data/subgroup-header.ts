import { protocolViolation } from '../moqt-error.ts';
import type { Varints } from '../varint.ts';
import type { WireReader } from '../wire.ts';
import { WireWriter } from '../wire.ts';

/** draft-18 11.4.2 SUBGROUP_HEADER as it is on the wire. */
export type WireSubgroupHeader = {
  readonly trackAlias: number;
  readonly groupId: number;
  /** `firstObjectId`: the id of the first object on the stream. */
  readonly subgroupId: number | 'firstObjectId';
  /** Publisher priority; absent: the subscription's default. */
  readonly priority?: number;
  readonly endOfGroup: boolean;
  /** Every object of the stream has a properties field. */
  readonly properties: boolean;
  readonly firstObject: boolean;
};

const bit = { properties: 0x01, endOfGroup: 0x08, form: 0x10, defaultPriority: 0x20, firstObject: 0x40 } as const;
const mode = { mask: 0x06, zero: 0x00, firstObjectId: 0x02, present: 0x04, reserved: 0x06 } as const;

/** Of the form 0b0XX1XXXX (draft-18 11.4.2); the reserved subgroup id mode included, which readSubgroupHeader refuses. */
export function isSubgroupType(type: number): boolean {
  return type < 0x80 && (type & bit.form) !== 0;
}

export function readSubgroupHeader(reader: WireReader): WireSubgroupHeader {
  const type = reader.varint();
  if (!isSubgroupType(type) || (type & mode.mask) === mode.reserved)
    throw protocolViolation(`subgroup header type 0x${type.toString(16)}`);
  const trackAlias = reader.varint();
  const groupId = reader.varint();
  const idMode = type & mode.mask;
  const subgroupId = idMode === mode.present ? reader.varint() : idMode === mode.zero ? 0 : 'firstObjectId';
  const priority = (type & bit.defaultPriority) === 0 ? reader.u8() : undefined;
  return {
    trackAlias,
    groupId,
    subgroupId,
    ...(priority !== undefined && { priority }),
    endOfGroup: (type & bit.endOfGroup) !== 0,
    properties: (type & bit.properties) !== 0,
    firstObject: (type & bit.firstObject) !== 0,
  };
}

/** Subgroup 0 takes no field. */
export function encodeSubgroupHeader(varints: Varints, header: WireSubgroupHeader): Uint8Array {
  const idMode =
    header.subgroupId === 'firstObjectId' ? mode.firstObjectId : header.subgroupId === 0 ? mode.zero : mode.present;
  const type =
    bit.form |
    idMode |
    (header.properties ? bit.properties : 0) |
    (header.endOfGroup ? bit.endOfGroup : 0) |
    (header.priority === undefined ? bit.defaultPriority : 0) |
    (header.firstObject ? bit.firstObject : 0);
  const writer = new WireWriter(varints, 32).varint(type).varint(header.trackAlias).varint(header.groupId);
  if (idMode === mode.present) writer.varint(header.subgroupId as number);
  if (header.priority !== undefined) writer.priority(header.priority);
  return writer.finish();
}
