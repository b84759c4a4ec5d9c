import { emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import {
  type KeyValuePair,
  keyValueError,
  readKeyValuePairs,
  type TypeForm,
  writeKeyValuePairs,
} from '../fields/key-value-pairs.ts';
import { propertyTypes } from '../fields/track-properties.ts';
import type { MoqObject } from '../model.ts';
import { MoqtError } from '../moqt-error.ts';
import { quicVarints } from '../quic-varints.ts';
import { type Varints, vi64 } from '../varint.ts';
import { WireReader, WireWriter } from '../wire.ts';

/** How a version up to draft-16 writes what became the properties of draft-17. */
export type ExtensionHeaders = {
  /** To the properties of draft-18. Throws MALFORMED for a pair that is cut short. */
  fromExtensions(bytes: Uint8Array): Uint8Array;
  /** From the properties of draft-18. Throws INVALID_ARGUMENT for what are no pairs. */
  toExtensions(properties: Uint8Array): Uint8Array;
  /** Throws KEY_VALUE_FORMATTING_ERROR. */
  objectFromExtensions(object: MoqObject): MoqObject;
  objectToExtensions(object: MoqObject): MoqObject;
};

type Form = { readonly varints: Varints; readonly types: TypeForm };

const properties: Form = { varints: vi64, types: 'delta' };
const maxQuic = (1n << 62n) - 1n;

/**
 * Extension headers are the properties of draft-18 in other integers (draft-16 2.5), and in draft-14 with types that are no deltas
 * (1.4.2). Above the codec there is one form, draft-18's, so that a relay can pass them on between versions; here they are turned
 * into it and back. Pairs whose type or value is above 2^62-1 have no place in them and are left out.
 */
export function extensionHeaders(types: TypeForm): ExtensionHeaders {
  const extensions: Form = { varints: quicVarints, types };
  const fromExtensions = (bytes: Uint8Array) =>
    bytes.length === 0 ? emptyBytes : recode(bytes, extensions, properties);
  const toExtensions = (bytes: Uint8Array) => {
    if (bytes.length === 0) return emptyBytes;
    try {
      return recode(bytes, properties, extensions);
    } catch (error) {
      throw new StreamsError('INVALID_ARGUMENT', 'properties that are no key-value pairs', { cause: error });
    }
  };
  return {
    fromExtensions,
    toExtensions,
    objectFromExtensions: (object) => withProperties(object, (bytes) => orFormattingError(() => fromExtensions(bytes))),
    objectToExtensions: (object) => withProperties(object, toExtensions),
  };
}

function withProperties(object: MoqObject, convert: (bytes: Uint8Array) => Uint8Array): MoqObject {
  const { properties: bytes } = object;
  return bytes === undefined || bytes.length === 0 ? object : { ...object, properties: convert(bytes) };
}

function recode(bytes: Uint8Array, from: Form, to: Form): Uint8Array {
  return encode(
    pairs(bytes, from).map((pair) => nested(pair, from, to)),
    to,
    bytes.length,
  );
}

/** Immutable properties hold pairs themselves (draft-16 12.2). */
function nested(pair: KeyValuePair, from: Form, to: Form): KeyValuePair {
  if (pair.type !== propertyTypes.immutableProperties || typeof pair.value === 'bigint') return pair;
  return { type: pair.type, value: encode(pairs(pair.value, from), to, pair.value.length) };
}

function encode(list: readonly KeyValuePair[], { varints, types }: Form, about: number): Uint8Array {
  const writer = new WireWriter(varints, about + 16);
  writeKeyValuePairs(
    writer,
    list.filter(({ value }) => typeof value !== 'bigint' || value <= maxQuic),
    types,
  );
  return writer.finish();
}

function pairs(bytes: Uint8Array, { varints, types }: Form): KeyValuePair[] {
  return readKeyValuePairs(new WireReader(bytes, varints), undefined, types);
}

function orFormattingError<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MoqtError) throw error;
    throw keyValueError(`extension headers: ${(error as Error).message}`);
  }
}
