import { sessionCodes } from '../codes.ts';
import { MoqtError, protocolViolation } from '../moqt-error.ts';
import type { Varints } from '../varint.ts';
import { WireReader, type WireWriter } from '../wire.ts';

const maxValueBytes = 0xffff;
const maxType = (1n << 64n) - 1n;
/** draft-18 15.8 Table 14 */
export const immutableProperties = 0x0b;

/** draft-18 1.4.3. Even types hold an integer, odd ones bytes. Types are bigint-safe numbers: those above 2^53-1 are skipped. */
export type KeyValuePair =
  | { readonly type: number; readonly value: bigint }
  | { readonly type: number; readonly value: Uint8Array };

/** How types are written: as what is added to the one before (since draft-16), or as they are, in any order (draft-14 1.4.2). */
export type TypeForm = 'delta' | 'absolute';

/** Reads `count` pairs, by default all up to the end of `reader`. Delta types ascend by construction; a type may repeat. */
export function readKeyValuePairs(
  reader: WireReader,
  count = Number.POSITIVE_INFINITY,
  form: TypeForm = 'delta',
): KeyValuePair[] {
  const pairs: KeyValuePair[] = [];
  let type = 0n;
  for (let i = 0; i < count && (reader.remaining > 0 || count !== Number.POSITIVE_INFINITY); i++) {
    type = form === 'absolute' ? reader.varintBig() : type + reader.varintBig();
    if (type > maxType) throw protocolViolation('key-value type above 2^64-1');
    const known = type <= BigInt(Number.MAX_SAFE_INTEGER);
    if (type % 2n === 0n) {
      const value = reader.varintBig();
      if (known) pairs.push({ type: Number(type), value });
      continue;
    }
    const length = reader.varint();
    if (length > maxValueBytes) throw protocolViolation(`key-value pair of ${length} bytes`);
    const value = reader.take(length);
    if (known) pairs.push({ type: Number(type), value });
  }
  return pairs;
}

/** Sorts by type, as the deltas demand. */
export function writeKeyValuePairs(writer: WireWriter, pairs: readonly KeyValuePair[], form: TypeForm = 'delta'): void {
  let previous = 0;
  for (const pair of [...pairs].sort((a, b) => a.type - b.type)) {
    writer.varint(form === 'absolute' ? pair.type : pair.type - previous);
    previous = pair.type;
    if (typeof pair.value === 'bigint') writer.varint(pair.value);
    else writer.lengthPrefixed(pair.value);
  }
}

/**
 * Object properties of draft-17 on pass through as they are; other versions have them in another form, so what are no pairs must not
 * come in. Immutable properties hold pairs themselves (draft-16 12.2). Throws KEY_VALUE_FORMATTING_ERROR (1.4.3).
 */
export function checkProperties(bytes: Uint8Array, varints: Varints): void {
  try {
    for (const { type, value } of readKeyValuePairs(new WireReader(bytes, varints))) {
      if (type === immutableProperties && typeof value !== 'bigint') readKeyValuePairs(new WireReader(value, varints));
    }
  } catch (error) {
    throw keyValueError(`properties: ${(error as Error).message}`);
  }
}

/** For a value of a known type that cannot be what it says (draft-18 1.4.3). */
export function keyValueError(message: string): MoqtError {
  return new MoqtError(sessionCodes.keyValueFormattingError, message);
}
