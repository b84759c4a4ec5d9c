import { emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import { type KeyValuePair, keyValueError, readKeyValuePairs, writeKeyValuePairs } from '../key-value-pairs.ts';
import type { MoqObject } from '../model.ts';
import { MoqtError } from '../moqt-error.ts';
import { quicVarints } from '../quic-varints.ts';
import { propertyTypes } from '../track-properties.ts';
import { type Varints, vi64 } from '../varint.ts';
import { WireReader, WireWriter } from '../wire.ts';

/**
 * Extension headers are the properties of draft-18 in other integers. Above the codec there is one form, draft-18's, so that a
 * relay can pass them on between versions; here they are turned into it and back. Pairs whose type or value is above 2^62-1 have no
 * place in draft-16 and are left out.
 */

const maxQuic = (1n << 62n) - 1n;

/** draft-16 2.5 to draft-18. Throws KEY_VALUE_FORMATTING_ERROR. */
export function fromExtensions(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? emptyBytes : recode(bytes, quicVarints, vi64);
}

/** draft-18 to draft-16. Throws INVALID_ARGUMENT for what are no pairs. */
export function toExtensions(properties: Uint8Array): Uint8Array {
  if (properties.length === 0) return emptyBytes;
  try {
    return recode(properties, vi64, quicVarints);
  } catch (error) {
    throw new StreamsError('INVALID_ARGUMENT', 'properties that are no key-value pairs', { cause: error });
  }
}

export function objectFromExtensions(object: MoqObject): MoqObject {
  const { properties } = object;
  return properties === undefined || properties.length === 0
    ? object
    : { ...object, properties: fromExtensions(properties) };
}

export function objectToExtensions(object: MoqObject): MoqObject {
  const { properties } = object;
  return properties === undefined || properties.length === 0
    ? object
    : { ...object, properties: toExtensions(properties) };
}

function recode(bytes: Uint8Array, from: Varints, to: Varints): Uint8Array {
  const writer = new WireWriter(to, bytes.length + 16);
  writeKeyValuePairs(
    writer,
    pairs(bytes, from)
      .filter(({ value }) => typeof value !== 'bigint' || value <= maxQuic)
      .map((pair) => nested(pair, from, to)),
  );
  return writer.finish();
}

/** Immutable properties hold pairs themselves (draft-16 12.2). */
function nested(pair: KeyValuePair, from: Varints, to: Varints): KeyValuePair {
  if (pair.type !== propertyTypes.immutableProperties || typeof pair.value === 'bigint') return pair;
  const inner = new WireWriter(to, pair.value.length + 16);
  writeKeyValuePairs(
    inner,
    pairs(pair.value, from).filter(({ value }) => typeof value !== 'bigint' || value <= maxQuic),
  );
  return { type: pair.type, value: inner.finish() };
}

function pairs(bytes: Uint8Array, varints: Varints): KeyValuePair[] {
  try {
    return readKeyValuePairs(new WireReader(bytes, varints));
  } catch (error) {
    if (error instanceof MoqtError) throw error;
    throw keyValueError(`extension headers: ${(error as Error).message}`);
  }
}
