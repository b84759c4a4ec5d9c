import { concat, emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { FetchItem } from '../fetch-stream.ts';
import type { MoqObject } from '../model.ts';
import { limitExceeded, protocolViolation } from '../moqt-error.ts';
import { defaultMaxObjectBytes, ifWhole, readProperties, refuseProperties } from '../object-stream.ts';
import { PayloadBuffer } from '../payload-buffer.ts';
import { quicVarints } from '../quic-varints.ts';
import { WireReader, WireWriter } from '../wire.ts';
import { objectFromExtensions, objectToExtensions } from './objects.ts';

const status = { normal: 0x0, doesNotExist: 0x1, endOfGroup: 0x3, endOfTrack: 0x4 } as const;

/**
 * draft-14 10.4.4: every field of every object. What is left out does not exist; that is said too, so that a range ends where it
 * should. That nobody knows cannot be said.
 */
export class Draft14FetchEncoder {
  /** Throws UNSUPPORTED for a range that is unknown, INVALID_ARGUMENT for a status. */
  encode(item: FetchItem): Uint8Array {
    if (item.kind === 'endOfRange') {
      if (item.unknown) throw new StreamsError('UNSUPPORTED', 'objects of unknown status cannot be told in draft-14');
      const writer = new WireWriter(quicVarints, 32).varint(item.groupId).varint(0).varint(item.objectId);
      return writer.priority(128).varint(0).varint(0).varint(status.doesNotExist).finish();
    }
    const { objectId, payload, properties = emptyBytes, status: its } = objectToExtensions(item.object);
    if (its !== 'normal') throw new StreamsError('INVALID_ARGUMENT', `${its} on a FETCH stream`);
    const writer = new WireWriter(quicVarints, 48 + payload.length + properties.length);
    // The subgroup id of what travels as a datagram is its object id.
    writer
      .varint(item.groupId)
      .varint(item.subgroupId ?? objectId)
      .varint(objectId);
    writer.priority(item.priority).lengthPrefixed(properties).varint(payload.length);
    if (payload.length === 0) writer.varint(status.normal);
    return writer.bytes(payload).finish();
  }
}

type Head = Extract<FetchItem, { kind: 'object' }>;

/** The reverse, out of chunks of any size, bounded as FetchDecoder of fetch-stream.ts is. */
export class Draft14FetchDecoder {
  readonly #maxObjectBytes: number;
  #tail: Uint8Array = emptyBytes;
  #pending: { readonly head: Head; readonly payload: PayloadBuffer } | undefined;

  constructor(options: { maxObjectBytes?: number } = {}) {
    this.#maxObjectBytes = options.maxObjectBytes ?? defaultMaxObjectBytes;
  }

  push(bytes: Uint8Array): FetchItem[] {
    const items: FetchItem[] = [];
    let data = this.#tail.length === 0 ? bytes : concat([this.#tail, bytes]);
    this.#tail = emptyBytes;
    while (data.length > 0) {
      if (this.#pending !== undefined) {
        const { head, payload } = this.#pending;
        data = data.subarray(payload.take(data));
        if (payload.complete) {
          items.push({ ...head, object: { ...head.object, payload: payload.bytes() } });
          this.#pending = undefined;
        }
        continue;
      }
      const reader = new WireReader(data, quicVarints);
      if (!ifWhole(() => this.#read(reader, items))) {
        // A copy: a few bytes must not keep a whole chunk alive.
        this.#tail = data.slice();
        break;
      }
      data = data.subarray(reader.offset);
    }
    return items;
  }

  /** To be called at FIN. A stream that ends inside an object is a PROTOCOL_VIOLATION (draft-14 10.4). */
  finish(): void {
    if (this.#tail.length > 0 || this.#pending !== undefined)
      throw protocolViolation('FETCH stream ends inside an object');
  }

  #read(reader: WireReader, items: FetchItem[]): void {
    const groupId = reader.varint();
    const subgroupId = reader.varint();
    const objectId = reader.varint();
    const priority = reader.u8();
    const properties = readProperties(reader);
    const length = reader.varint();
    if (length > this.#maxObjectBytes)
      throw limitExceeded(`object of ${length} bytes, the limit is ${this.#maxObjectBytes}`);
    if (length === 0) {
      const code = reader.varint();
      if (code === status.doesNotExist && properties.length > 0) refuseProperties('doesNotExist', true);
      if (code === status.doesNotExist || code === status.endOfGroup || code === status.endOfTrack) {
        items.push({ kind: 'endOfRange', unknown: false, groupId, objectId });
        return;
      }
      if (code !== status.normal) throw protocolViolation(`object status 0x${code.toString(16)}`);
    }
    const object: MoqObject = objectFromExtensions({
      objectId,
      status: 'normal',
      properties: properties.length === 0 ? undefined : properties,
      payload: emptyBytes,
    });
    const head: Head = { kind: 'object', groupId, subgroupId, priority, object };
    if (length > 0) this.#pending = { head, payload: new PayloadBuffer(length) };
    else items.push(head);
  }
}
