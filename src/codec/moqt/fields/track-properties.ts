import type { GroupOrder } from '../model.ts';
import { MoqtError, protocolViolation } from '../moqt-error.ts';
import type { Varints } from '../varint.ts';
import { WireReader } from '../wire.ts';
import type { KeyValuePair } from './key-value-pairs.ts';
import { immutableProperties, readKeyValuePairs } from './key-value-pairs.ts';

/** draft-18 12: what a session must know of a track's properties. The rest passes through undecoded. */
export type TrackProperties = {
  readonly defaultPriority: number;
  readonly defaultGroupOrder: GroupOrder;
  /** Delivery timeouts of the publisher (draft-18 8, 12.1, 12.2), ms; 0: none. */
  readonly objectTimeoutMs: number;
  readonly subgroupTimeoutMs: number;
  /** The publisher begins a new group when it is asked to (12.5, DYNAMIC_GROUPS). */
  readonly dynamicGroups: boolean;
  /** First property of the mandatory range (2.5.1), none of which we understand; the track must not be used. */
  readonly mandatory: number | undefined;
};

/** draft-18 15.8 Table 14 */
export const propertyTypes = {
  objectDeliveryTimeout: 0x02,
  maxCacheDuration: 0x04,
  subgroupDeliveryTimeout: 0x06,
  immutableProperties,
  defaultPublisherPriority: 0x0e,
  defaultPublisherGroupOrder: 0x22,
  dynamicGroups: 0x30,
  priorGroupIdGap: 0x3c,
  priorObjectIdGap: 0x3e,
} as const;

export function readTrackProperties(varints: Varints, bytes: Uint8Array): TrackProperties {
  let defaultPriority = 128;
  let defaultGroupOrder: GroupOrder = 'ascending';
  let mandatory: number | undefined;
  let objectTimeoutMs = 0;
  let subgroupTimeoutMs = 0;
  let dynamicGroups = false;
  for (const { type, value } of pairs(varints, bytes)) {
    if (type >= 0x4000 && type <= 0x7fff) mandatory ??= type;
    // For versions that have them in another form.
    if (type === immutableProperties && typeof value !== 'bigint') pairs(varints, value);
    if (type === propertyTypes.objectDeliveryTimeout) objectTimeoutMs = Number(value);
    if (type === propertyTypes.subgroupDeliveryTimeout) subgroupTimeoutMs = Number(value);
    if (type === propertyTypes.dynamicGroups) {
      if (value !== 0n && value !== 1n) throw protocolViolation(`dynamic groups ${value}`);
      dynamicGroups = value === 1n;
    }
    if (type === propertyTypes.defaultPublisherPriority) {
      if (Number(value) > 255) throw protocolViolation(`default publisher priority ${value}`);
      defaultPriority = Number(value);
    }
    if (type === propertyTypes.defaultPublisherGroupOrder) {
      if (value !== 1n && value !== 2n) throw protocolViolation(`default group order ${value}`);
      defaultGroupOrder = value === 1n ? 'ascending' : 'descending';
    }
  }
  return { defaultPriority, defaultGroupOrder, objectTimeoutMs, subgroupTimeoutMs, dynamicGroups, mandatory };
}

/** They end with their message: a pair that does not is a wrong length of it (draft-18 10). */
function pairs(varints: Varints, bytes: Uint8Array): KeyValuePair[] {
  try {
    return readKeyValuePairs(new WireReader(bytes, varints));
  } catch (error) {
    if (error instanceof MoqtError) throw error;
    throw protocolViolation(`track properties: ${(error as Error).message}`, error);
  }
}
