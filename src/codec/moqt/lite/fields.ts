import { fromUtf8Strict, utf8 } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import { protocolViolation } from '../moqt-error.ts';
import { boundedInteger, type WireReader, type WireWriter } from '../wire.ts';

/** The fields that moq-lite messages are made of; integers are QUIC's. Truncation throws MALFORMED. */

const maxParts = 32;
/** Of one announcement. */
const maxHops = 32;
const maxHop = (1n << 62n) - 1n;

/** A string (draft-lcurley-moq-lite, `(s)`): length and UTF-8. */
export function readText(reader: WireReader): string {
  return textOf(reader.take(reader.varint()));
}

/** Throws PROTOCOL_VIOLATION. */
export function textOf(bytes: Uint8Array): string {
  try {
    return fromUtf8Strict(bytes);
  } catch (error) {
    throw protocolViolation('a string that is not UTF-8', error);
  }
}

/** Throws UNSUPPORTED for a string that has no UTF-8 form. */
export function writeText(writer: WireWriter, text: string): void {
  if (/\p{Surrogate}/u.test(text)) throw new StreamsError('UNSUPPORTED', 'moq-lite has no names that are not UTF-8');
  writer.lengthPrefixed(utf8(text));
}

/** A broadcast path as a namespace: what is between the slashes, empty parts left out. */
export function readPath(reader: WireReader): string[] {
  const parts = readText(reader)
    .split('/')
    .filter((part) => part !== '');
  if (parts.length > maxParts) throw protocolViolation(`a path of ${parts.length} parts`);
  return parts;
}

/** Throws UNSUPPORTED for a namespace that is no path. */
export function writePath(writer: WireWriter, namespace: readonly string[]): void {
  writeText(writer, pathOf(namespace));
}

/** `a/b` of [a, b]. Throws UNSUPPORTED where that could be read another way. */
export function pathOf(namespace: readonly string[]): string {
  if (namespace.length > maxParts || namespace.some((part) => part === '' || /[/\p{Surrogate}]/u.test(part)))
    throw new StreamsError('UNSUPPORTED', 'moq-lite cannot say this namespace: its fields are the parts of a path');
  return namespace.join('/');
}

/** Origin first; 0 is a hop that is not known. */
export function readHops(reader: WireReader): bigint[] {
  const count = reader.varint();
  if (count > maxHops) throw protocolViolation(`${count} hops`);
  const hops: bigint[] = [];
  for (let i = 0; i < count; i++) hops.push(reader.varintBig());
  return hops;
}

/** Throws UNSUPPORTED for too many. A hop above 2^62-1, which MoQT has integers for, is one that is not known. */
export function writeHops(writer: WireWriter, hops: readonly bigint[]): void {
  if (hops.length > maxHops) throw new StreamsError('UNSUPPORTED', `moq-lite says no more than ${maxHops} hops`);
  writer.varint(hops.length);
  for (const hop of hops) writer.varint(hop > maxHop ? 0 : hop);
}

/** An integer of which 0 means "none" and all others are one more than they say. */
export function readOffset(reader: WireReader): number | undefined {
  const value = reader.varintBig();
  return value === 0n ? undefined : boundedInteger(value - 1n);
}

export function writeOffset(writer: WireWriter, value: number | undefined): void {
  writer.varint(value === undefined ? 0 : BigInt(value) + 1n);
}

/** u8 of which only 0 and 1 have a meaning; peers that no longer know the field write 0, others are taken for 1. */
export function readFlag(reader: WireReader): boolean {
  return reader.u8() !== 0;
}
