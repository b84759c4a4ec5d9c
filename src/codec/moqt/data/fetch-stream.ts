import { emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { GroupOrder, MoqObject } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import type { Varints } from '../varint.ts';
import { type WireReader, WireWriter } from '../wire.ts';
import { readProperties } from './object-stream.ts';
import { PayloadStream, type PromisedItem } from './payload-stream.ts';

/** One entry of a FETCH stream (draft-18 11.4.4). Objects have no status there: it is always `normal`. */
export type FetchItem =
  | {
      readonly kind: 'object';
      readonly groupId: number;
      /** undefined: its forwarding preference is datagram. */
      readonly subgroupId: number | undefined;
      readonly priority: number;
      readonly object: MoqObject;
    }
  /** From behind the item before up to this location, inclusive, there is nothing; `unknown`: or nobody knows (11.4.4.2). */
  | { readonly kind: 'endOfRange'; readonly unknown: boolean; readonly groupId: number; readonly objectId: number };

const fetchType = 0x05;
const flag = {
  subgroupMask: 0x03,
  objectId: 0x04,
  groupId: 0x08,
  priority: 0x10,
  properties: 0x20,
  datagram: 0x40,
} as const;
const subgroupMode = { zero: 0, prior: 1, priorPlusOne: 2, present: 3 } as const;
const endOfRange = { nonExistent: 0x8c, unknown: 0x10c, timedOut: 0x20c } as const;

/** What a later item may refer to. A marker leaves subgroup and priority as they were. */
type Prior = {
  readonly groupId: number;
  readonly objectId: number;
  readonly subgroupId: number | undefined;
  readonly priority: number | undefined;
};

/** FETCH_HEADER. */
export function encodeFetchHeader(varints: Varints, requestId: number): Uint8Array {
  return new WireWriter(varints, 16).varint(fetchType).varint(requestId).finish();
}

function priorOf(item: FetchItem, before: Prior | undefined): Prior {
  const { groupId } = item;
  if (item.kind === 'endOfRange') {
    return { groupId, objectId: item.objectId, subgroupId: before?.subgroupId, priority: before?.priority };
  }
  const subgroupId = item.subgroupId ?? before?.subgroupId;
  return { groupId, objectId: item.object.objectId, subgroupId, priority: item.priority };
}

/** `absoluteIds`: group and object ids are written as they are (draft-16 and before), not as what is added to those before. */
type FetchIds = { absoluteIds?: boolean };
/** `timedOutRanges`: a third marker, for what was waited for too long (draft-20 on), is read as unknown. */
type FetchMarkers = { timedOutRanges?: boolean };

/** Items of one FETCH stream, in the order they are sent; the payload is copied once. */
export class FetchEncoder {
  readonly #varints: Varints;
  readonly #order: GroupOrder;
  readonly #absoluteIds: boolean;
  #prior: Prior | undefined;
  #afterMarker = false;

  constructor(varints: Varints, order: GroupOrder, options: FetchIds = {}) {
    this.#varints = varints;
    this.#order = order;
    this.#absoluteIds = options.absoluteIds ?? false;
  }

  /** Throws INVALID_ARGUMENT for an item that is not behind the one before, and for a status: it cannot be said here. */
  encode(item: FetchItem): Uint8Array {
    const prior = this.#prior;
    const next = priorOf(item, prior);
    if (prior !== undefined && !follows(prior, next, this.#order)) {
      throw new StreamsError(
        'INVALID_ARGUMENT',
        `object ${next.groupId}/${next.objectId} is not behind the one before`,
      );
    }
    this.#prior = next;
    // Older drafts do not say what the object behind a marker may refer to: nothing.
    const before = this.#absoluteIds && this.#afterMarker ? undefined : prior;
    this.#afterMarker = item.kind === 'endOfRange';
    if (item.kind === 'endOfRange') {
      const kind = item.unknown ? endOfRange.unknown : endOfRange.nonExistent;
      // The ids of a marker are absolute: with a delta it could not be in the group of the object before.
      return new WireWriter(this.#varints, 32).varint(kind).varint(item.groupId).varint(item.objectId).finish();
    }
    return this.#object(item, before);
  }

  #object(item: FetchItem & { kind: 'object' }, prior: Prior | undefined): Uint8Array {
    const { groupId, subgroupId, priority, object } = item;
    const { objectId, payload, properties } = object;
    if (object.status !== 'normal') throw new StreamsError('INVALID_ARGUMENT', `${object.status} on a FETCH stream`);
    const sameGroup = prior?.groupId === groupId;
    const mode = subgroupId === undefined ? subgroupMode.zero : modeOf(subgroupId, prior?.subgroupId);
    const withObjectId = !sameGroup || objectId !== prior.objectId + 1;
    const withPriority = priority !== prior?.priority;
    const withProperties = properties !== undefined && properties.length > 0;
    const writer = new WireWriter(this.#varints, 48 + payload.length + (properties?.length ?? 0));
    writer.varint(
      mode |
        (withObjectId ? flag.objectId : 0) |
        (sameGroup ? 0 : flag.groupId) |
        (withPriority ? flag.priority : 0) |
        (withProperties ? flag.properties : 0) |
        (subgroupId === undefined ? flag.datagram : 0),
    );
    if (!sameGroup)
      writer.varint(this.#absoluteIds || prior === undefined ? groupId : Math.abs(groupId - prior.groupId) - 1);
    if (mode === subgroupMode.present) writer.varint(subgroupId!);
    if (withObjectId) writer.varint(sameGroup && !this.#absoluteIds ? objectId - prior.objectId : objectId);
    if (withPriority) writer.priority(priority);
    if (withProperties) writer.lengthPrefixed(properties);
    return writer.lengthPrefixed(payload).finish();
  }
}

function modeOf(subgroupId: number, prior: number | undefined): number {
  if (subgroupId === 0) return subgroupMode.zero;
  if (prior === undefined) return subgroupMode.present;
  return subgroupId === prior
    ? subgroupMode.prior
    : subgroupId === prior + 1
      ? subgroupMode.priorPlusOne
      : subgroupMode.present;
}

type Head = Extract<FetchItem, { kind: 'object' }>;

/** A FETCH stream behind its header, out of chunks of any size; bounds and views are those of PayloadStream. */
export class FetchDecoder {
  readonly #order: GroupOrder;
  readonly #absoluteIds: boolean;
  readonly #timedOutRanges: boolean;
  readonly #stream: PayloadStream<FetchItem>;
  #prior: Prior | undefined;

  constructor(
    varints: Varints,
    order: GroupOrder,
    options: FetchIds & FetchMarkers & { maxObjectBytes?: number } = {},
  ) {
    this.#order = order;
    this.#absoluteIds = options.absoluteIds ?? false;
    this.#timedOutRanges = options.timedOutRanges ?? false;
    this.#stream = new PayloadStream(varints, options.maxObjectBytes, (reader) => this.#read(reader));
  }

  push(bytes: Uint8Array): FetchItem[] {
    return this.#stream.push(bytes);
  }

  /** To be called at FIN. A stream that ends inside an object is a PROTOCOL_VIOLATION (draft-18 11.4). */
  finish(): void {
    if (!this.#stream.idle) throw protocolViolation('FETCH stream ends inside an object');
  }

  #read(reader: WireReader): PromisedItem<FetchItem> {
    const flags = reader.varint();
    const timedOut = this.#timedOutRanges && flags === endOfRange.timedOut;
    if (flags === endOfRange.nonExistent || flags === endOfRange.unknown || timedOut) {
      const unknown = flags !== endOfRange.nonExistent;
      const marker: FetchItem = { kind: 'endOfRange', unknown, groupId: reader.varint(), objectId: reader.varint() };
      this.#advance(marker);
      return { length: 0, item: () => marker };
    }
    if (flags >= 0x80) throw protocolViolation(`FETCH serialization flags 0x${flags.toString(16)}`);
    const head = this.#head(reader, flags);
    const length = reader.varint();
    this.#advance(head);
    return { length, item: (payload) => ({ ...head, object: { ...head.object, payload } }) };
  }

  #head(reader: WireReader, flags: number): Head {
    const prior = this.#prior;
    if (prior === undefined && ((flags & flag.groupId) === 0 || (flags & flag.objectId) === 0))
      throw protocolViolation('the first object of a FETCH stream refers to one before');
    const groupId = (flags & flag.groupId) === 0 ? prior!.groupId : this.#groupId(reader.varint());
    const subgroupId = (flags & flag.datagram) !== 0 ? undefined : this.#subgroupId(reader, flags);
    let objectId: number;
    if ((flags & flag.objectId) === 0) objectId = prior!.objectId + 1;
    else {
      const isAbsolute = this.#absoluteIds || prior === undefined || (flags & flag.groupId) !== 0;
      objectId = reader.varint() + (isAbsolute ? 0 : prior.objectId);
    }
    if (!Number.isSafeInteger(objectId)) throw protocolViolation('object id out of range');
    const priority = (flags & flag.priority) !== 0 ? reader.u8() : prior?.priority;
    if (priority === undefined) throw protocolViolation('priority of an object that was not there');
    const properties = (flags & flag.properties) !== 0 ? readProperties(reader) : undefined;
    return {
      kind: 'object',
      groupId,
      subgroupId,
      priority,
      object: { objectId, status: 'normal', properties, payload: emptyBytes },
    };
  }

  #groupId(delta: number): number {
    if (this.#prior === undefined || this.#absoluteIds) return delta;
    const { groupId } = this.#prior;
    const next = this.#order === 'ascending' ? groupId + delta + 1 : groupId - delta - 1;
    if (next < 0 || !Number.isSafeInteger(next)) throw protocolViolation('group id out of range');
    return next;
  }

  #subgroupId(reader: WireReader, flags: number): number {
    const mode = flags & flag.subgroupMask;
    if (mode === subgroupMode.zero) return 0;
    if (mode === subgroupMode.present) return reader.varint();
    const before = this.#prior?.subgroupId;
    if (before === undefined) throw protocolViolation('subgroup of an object that was not there');
    return mode === subgroupMode.prior ? before : before + 1;
  }

  #advance(item: FetchItem): void {
    const next = priorOf(item, this.#prior);
    if (this.#prior !== undefined && !follows(this.#prior, next, this.#order))
      throw protocolViolation(`object ${next.groupId}/${next.objectId} out of order on a FETCH stream`);
    this.#prior = next;
  }
}

function follows(prior: Prior, next: Prior, order: GroupOrder): boolean {
  if (next.groupId === prior.groupId) return next.objectId > prior.objectId;
  return order === 'ascending' ? next.groupId > prior.groupId : next.groupId < prior.groupId;
}
