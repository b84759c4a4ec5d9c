import { emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import { checkProperties } from '../fields/key-value-pairs.ts';
import type { MoqObject, ObjectStatus } from '../model.ts';
import { limitExceeded, protocolViolation } from '../moqt-error.ts';
import { type Varints, vi64 } from '../varint.ts';
import type { WireReader } from '../wire.ts';
import { PayloadStream, type PromisedItem } from './payload-stream.ts';
import type { WireSubgroupHeader } from './subgroup-header.ts';
import { readSubgroupHeader } from './subgroup-header.ts';

/** Bound of one object's properties; the draft has none. */
export const maxPropertiesBytes = 0xffff;

export const statusCodes: Readonly<Record<ObjectStatus, number>> = { normal: 0x0, endOfGroup: 0x3, endOfTrack: 0x4 };

/** draft-14 10.2.1.1: there is a status for what does not exist, and any other may have properties, which are left out. */
export type StatusOptions = { readonly olderStatus?: boolean };

/** draft-18 11.2.1.1 */
export function statusOf(code: number): ObjectStatus;
export function statusOf(code: number, older: boolean): ObjectStatus | 'doesNotExist';
export function statusOf(code: number, older = false): ObjectStatus | 'doesNotExist' {
  switch (code) {
    case 0x0:
      return 'normal';
    case 0x1:
      if (older) return 'doesNotExist';
      break;
    case 0x3:
      return 'endOfGroup';
    case 0x4:
      return 'endOfTrack';
  }
  throw protocolViolation(`object status 0x${code.toString(16)}`);
}

/** draft-18 11.2.1.2: of objects, only normal ones have properties. Draft-14 (10.2.1.2) has them even at ends, but not on what does not exist. */
export function refuseProperties(status: ObjectStatus | 'doesNotExist', older: boolean): void {
  if (status === 'doesNotExist' || (status !== 'normal' && !older)) throw protocolViolation(`properties on ${status}`);
}

/**
 * One object as it goes on a subgroup stream (draft-18 11.4.2), the payload copied once. `previousObjectId` is the one before on
 * the same stream; `withProperties` what the stream's header says. Throws INVALID_ARGUMENT for ids that do not ascend, for
 * properties where the header promised none, and for payload or properties on a status object.
 */
export function encodeObject(
  varints: Varints,
  previousObjectId: number | undefined,
  object: MoqObject,
  withProperties: boolean,
): Uint8Array {
  const delta = previousObjectId === undefined ? object.objectId : object.objectId - previousObjectId - 1;
  if (!(delta >= 0 && Number.isSafeInteger(object.objectId)))
    throw new StreamsError('INVALID_ARGUMENT', `object ${object.objectId} after ${previousObjectId}`);
  const properties = object.properties ?? emptyBytes;
  const payload = object.payload;
  if (object.status !== 'normal' && (payload.length > 0 || properties.length > 0))
    throw new StreamsError('INVALID_ARGUMENT', `${object.status} has neither payload nor properties`);
  if (!withProperties && properties.length > 0)
    throw new StreamsError('INVALID_ARGUMENT', 'properties on a subgroup opened without');
  if (properties.length > maxPropertiesBytes) throw new StreamsError('INVALID_ARGUMENT', 'properties over 65535 bytes');
  const size =
    varints.size(delta) +
    (withProperties ? varints.size(properties.length) + properties.length : 0) +
    varints.size(payload.length) +
    (payload.length === 0 ? 1 : payload.length);
  const out = new Uint8Array(size);
  let at = varints.put(out, 0, delta);
  if (withProperties) {
    at = varints.put(out, at, properties.length);
    out.set(properties, at);
    at += properties.length;
  }
  at = varints.put(out, at, payload.length);
  if (payload.length === 0) out[at] = statusCodes[object.status];
  else out.set(payload, at);
  return out;
}

/** One subgroup stream, header included, out of chunks of any size; bounds and views are those of PayloadStream. */
export class SubgroupDecoder {
  readonly #olderStatus: boolean;
  readonly #stream: PayloadStream<MoqObject>;
  #header: WireSubgroupHeader | undefined;
  #firstId: number | undefined;
  #previousId: number | undefined;

  constructor(varints: Varints, options: StatusOptions & { maxObjectBytes?: number } = {}) {
    this.#olderStatus = options.olderStatus ?? false;
    this.#stream = new PayloadStream(varints, options.maxObjectBytes, (reader) => this.#readHead(reader));
  }

  /** Known as soon as its bytes are there; undefined before. */
  get header(): WireSubgroupHeader | undefined {
    return this.#header;
  }

  /** The subgroup id, once known: with `firstObjectId` that takes the head of the first object. */
  get subgroupId(): number | undefined {
    const id = this.#header?.subgroupId;
    return id === 'firstObjectId' ? this.#firstId : id;
  }

  push(bytes: Uint8Array): MoqObject[] {
    return this.#stream.push(bytes);
  }

  /** To be called at FIN. A stream that ends inside an object or its header is a PROTOCOL_VIOLATION (draft-18 11.4). */
  finish(): void {
    if (this.#header === undefined || !this.#stream.idle)
      throw protocolViolation('subgroup stream ends inside an object');
  }

  #readHead(reader: WireReader): PromisedItem<MoqObject> | undefined {
    if (this.#header === undefined) {
      this.#header = readSubgroupHeader(reader);
      return undefined;
    }
    const withProperties = this.#header.properties;
    const delta = reader.varint();
    const objectId = this.#previousId === undefined ? delta : this.#previousId + delta + 1;
    if (!Number.isSafeInteger(objectId)) throw protocolViolation('object id out of range');
    const properties = withProperties ? readProperties(reader) : undefined;
    const length = reader.varint();
    const status = length > 0 ? 'normal' : statusOf(reader.varint(), this.#olderStatus);
    if (properties !== undefined && properties.length > 0) refuseProperties(status, this.#olderStatus);
    // Only now is the head known to be whole.
    this.#firstId ??= objectId;
    this.#previousId = objectId;
    if (status === 'doesNotExist') return undefined;
    const kept = status === 'normal' || !withProperties ? properties : emptyBytes;
    return { length, item: (payload) => ({ objectId, properties: kept, status, payload }) };
  }
}

/**
 * draft-18 11.2.1.2: a length, then pairs, which stay as they are. A copy, as they may outlive the chunk they came in. Those of drafts
 * up to 16 are looked at when they are turned into properties (extension-headers.ts). Throws KEY_VALUE_FORMATTING_ERROR.
 */
export function readProperties(reader: WireReader): Uint8Array {
  const length = reader.varint();
  if (length > maxPropertiesBytes) throw limitExceeded(`object properties of ${length} bytes`);
  if (length === 0) return emptyBytes;
  const properties = reader.take(length).slice();
  if (reader.varints === vi64) checkProperties(properties, vi64);
  return properties;
}
