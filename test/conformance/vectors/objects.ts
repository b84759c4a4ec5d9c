import { extensionHeaders } from '../../../src/codec/moqt/data/extension-headers.ts';
import type { FetchItem } from '../../../src/codec/moqt/data/fetch-stream.ts';
import { statusCodes } from '../../../src/codec/moqt/data/object-stream.ts';
import type { WireSubgroupHeader } from '../../../src/codec/moqt/data/subgroup-header.ts';
import type { Dialect } from '../../../src/codec/moqt/dialect.ts';
import type { MoqObject } from '../../../src/codec/moqt/model.ts';
import { MoqtError, protocolViolation } from '../../../src/codec/moqt/moqt-error.ts';
import { WireReader } from '../../../src/codec/moqt/wire.ts';
import { bytesEqual, concat, hex } from '../../../src/core/bytes.ts';
import { difference, hasWide, refusal } from './compare.ts';
import { bytes } from './fields.ts';
import { bytesOf, type Field, type Fields, plain, type Vector } from './vectors.ts';

/** The same for what carries objects. */

/** As a session tells the streams apart, by the integer they begin with. */
function begin(dialect: Dialect, raw: Uint8Array, kind: 'subgroup' | 'fetch'): WireReader {
  const reader = new WireReader(raw, dialect.varints);
  try {
    if (dialect.streamKind(reader.varint()) !== kind) throw protocolViolation('another kind of stream');
  } catch (error) {
    // Cut short: what a session says of a stream that ends within its type.
    throw error instanceof MoqtError ? error : protocolViolation('cut short', error);
  }
  return reader;
}

function object({ objectId, status, properties, payload }: MoqObject): Fields {
  return {
    object_id: objectId,
    ...(payload.length === 0 && { status: statusCodes[status] }),
    ...(properties !== undefined && properties.length > 0 && { properties: bytes(properties) }),
    payload: bytes(payload),
  };
}

/** Properties are in the form of draft-18 above the codec; that the bytes of older ones come back is seen when they are encoded. */
function inOurForm(draft: number, field: Field): Field {
  if (draft > 16 || typeof field !== 'object') return field;
  const { fromExtensions } = extensionHeaders(draft === 14 ? 'absolute' : 'delta');
  if (Array.isArray(field)) return field.map((item) => inOurForm(draft, item));
  return Object.fromEntries(
    Object.entries(field).map(([name, value]) => [
      name,
      name === 'properties' ? bytes(fromExtensions(bytesOf(String(value).slice(2)))) : inOurForm(draft, value),
    ]),
  );
}

type Subgroup = { readonly header: WireSubgroupHeader; readonly objects: readonly MoqObject[] };

function readSubgroup(dialect: Dialect, raw: Uint8Array): Subgroup {
  begin(dialect, raw, 'subgroup');
  const decoder = dialect.subgroupDecoder();
  const objects = decoder.push(raw);
  decoder.finish();
  return { header: decoder.header!, objects };
}

export function subgroup(draft: number, dialect: Dialect, vector: Vector): string | undefined {
  const raw = bytesOf(vector.hex);
  return judged(draft, vector, () => readSubgroup(dialect, raw), {
    say: ({ header, objects }) => ({
      header: {
        track_alias: header.trackAlias,
        group_id: header.groupId,
        ...(header.subgroupId !== 'firstObjectId' && { subgroup_id: header.subgroupId }),
        ...(header.priority !== undefined && { priority: header.priority }),
        end_of_group: header.endOfGroup,
        ...(draft >= 18 && { first_object: header.firstObject }),
      },
      objects: objects.map(object),
    }),
    encode({ header, objects }) {
      let previous: number | undefined;
      const parts = objects.map((one) => {
        const part = dialect.encodeObject(previous, one, header.properties);
        previous = one.objectId;
        return part;
      });
      return concat([dialect.encodeSubgroupHeader(header), ...parts]);
    },
  });
}

type Datagram = NonNullable<ReturnType<Dialect['decodeDatagram']>>;

export function datagram(draft: number, dialect: Dialect, vector: Vector): string | undefined {
  const read = (): Datagram => {
    const found = dialect.decodeDatagram(bytesOf(vector.hex));
    if (found === undefined) throw new Error('nothing is told');
    return found;
  };
  return judged(draft, vector, read, {
    say: ({ trackAlias, groupId, priority, endOfGroup, object: one }) => {
      const { status, ...fields } = object(one);
      return {
        track_alias: trackAlias,
        group_id: groupId,
        ...(priority !== undefined && { priority }),
        end_of_group: endOfGroup,
        ...(vector.fields !== undefined && 'status' in vector.fields && { status: status! }),
        ...fields,
      };
    },
    encode: (found) => dialect.encodeDatagram(found),
  });
}

function item(found: FetchItem): Fields {
  if (found.kind === 'endOfRange')
    return {
      end_of_range: found.unknown ? 'unknown' : 'nonexistent',
      group_id: found.groupId,
      object_id: found.objectId,
    };
  const { status: _, ...fields } = object(found.object);
  return {
    group_id: found.groupId,
    ...(found.subgroupId !== undefined && { subgroup_id: found.subgroupId }),
    priority: found.priority,
    ...fields,
  };
}

export function fetch(draft: number, dialect: Dialect, vector: Vector): string | undefined {
  const raw = bytesOf(vector.hex);
  const order = vector.order ?? 'ascending';
  const items = (part: Uint8Array): FetchItem[] => {
    const decoder = dialect.fetchDecoder(order);
    const found = decoder.push(part);
    decoder.finish();
    return found;
  };
  const read = () => {
    const reader = begin(dialect, raw, 'fetch');
    try {
      const requestId = reader.varint();
      return { requestId, found: items(raw.subarray(reader.offset)) };
    } catch (error) {
      throw error instanceof MoqtError ? error : protocolViolation('cut short', error);
    }
  };
  return judged(draft, vector, read, {
    // Draft-14 says what an empty object is; it is normal, or none.
    say: ({ requestId, found }) => ({ request_id: requestId, items: found.map(item) }),
    // There is more than one way to say the same: ours has to be read as the same.
    encode({ requestId, found }) {
      const encoder = dialect.fetchEncoder(order);
      const parts = found.map((one) => encoder.encode(one));
      const isSame = difference(items(concat(parts)).map(item), found.map(item)) === undefined;
      const header = dialect.encodeFetchHeader(requestId);
      return isSame && bytesEqual(header, raw.subarray(0, header.length)) ? raw : concat([header, ...parts]);
    },
  });
}

function judged<T>(
  draft: number,
  vector: Vector,
  read: () => T,
  { say, encode }: { say(found: T): Fields; encode(found: T): Uint8Array },
): string | undefined {
  if (vector.fields === undefined) return refusal(vector, read);
  let found: T;
  try {
    found = read();
  } catch (error) {
    if (hasWide(vector.fields) && error instanceof MoqtError) return undefined;
    return `refused: ${(error as Error).message}`;
  }
  const unlike = difference(say(found), inOurForm(draft, plain(vector.fields)));
  if (unlike !== undefined) return unlike;
  const again = encode(found);
  const wanted = bytesOf(vector.canonical ?? vector.hex);
  return bytesEqual(again, wanted) ? undefined : `encoded as ${hex(again)}, not ${hex(wanted)}`.slice(0, 200);
}
