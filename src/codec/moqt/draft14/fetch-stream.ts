import { emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { FetchItem } from '../data/fetch-stream.ts';
import { readProperties, refuseProperties } from '../data/object-stream.ts';
import { PayloadStream, type PromisedItem } from '../data/payload-stream.ts';
import { protocolViolation } from '../moqt-error.ts';
import { quicVarints } from '../quic-varints.ts';
import { type WireReader, WireWriter } from '../wire.ts';
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

/** The reverse, out of chunks of any size, bounded as PayloadStream is. */
export class Draft14FetchDecoder {
  readonly #stream: PayloadStream<FetchItem>;

  constructor(options: { maxObjectBytes?: number } = {}) {
    this.#stream = new PayloadStream(quicVarints, options.maxObjectBytes, read);
  }

  push(bytes: Uint8Array): FetchItem[] {
    return this.#stream.push(bytes);
  }

  /** To be called at FIN. A stream that ends inside an object is a PROTOCOL_VIOLATION (draft-14 10.4). */
  finish(): void {
    if (!this.#stream.idle) throw protocolViolation('FETCH stream ends inside an object');
  }
}

function read(reader: WireReader): PromisedItem<FetchItem> {
  const groupId = reader.varint();
  const subgroupId = reader.varint();
  const objectId = reader.varint();
  const priority = reader.u8();
  const bytes = readProperties(reader);
  const properties = bytes.length === 0 ? undefined : bytes;
  const length = reader.varint();
  const code = length > 0 ? status.normal : reader.varint();
  if (code === status.doesNotExist && properties !== undefined) refuseProperties('doesNotExist', true);
  if (code === status.doesNotExist || code === status.endOfGroup || code === status.endOfTrack)
    return { length, item: () => ({ kind: 'endOfRange', unknown: false, groupId, objectId }) };
  if (code !== status.normal) throw protocolViolation(`object status 0x${code.toString(16)}`);
  return {
    length,
    item: (payload) => {
      const object = objectFromExtensions({ objectId, status: 'normal', properties, payload });
      return { kind: 'object', groupId, subgroupId, priority, object };
    },
  };
}
