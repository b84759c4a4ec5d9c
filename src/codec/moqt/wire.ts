import { ByteReader, ByteWriter, fromUtf8, utf8 } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { decodeName, encodeName } from './fields/track-name.ts';
import type { Location, TrackName } from './model.ts';
import { protocolViolation } from './moqt-error.ts';
import type { Varints } from './varint.ts';

const maxNameBytes = 4096;
const maxNamespaceFields = 32;
/** draft-18 1.4.4. Longer reasons of ours are cut. */
export const maxReasonBytes = 1024;

export function boundedInteger(value: bigint): number {
  return Math.min(Number(value), Number.MAX_SAFE_INTEGER);
}

/** Reads the fields that MoQT messages are made of. Truncation throws MALFORMED (turned into a session error by the message decoder). */
export class WireReader extends ByteReader {
  readonly varints: Varints;

  constructor(bytes: Uint8Array, varints: Varints) {
    super(bytes);
    this.varints = varints;
  }

  varint(): number {
    return this.varints.read(this);
  }
  varintBig(): bigint {
    return this.varints.readBig(this);
  }
  /** Where more is as good as that, as of a time: at most 2^53-1. */
  bounded(): number {
    return boundedInteger(this.varintBig());
  }
  location(): Location {
    return { group: this.varint(), object: this.varint() };
  }
  /** The end of a range: what is behind all ids of ours is as good as the last. */
  boundedLocation(): Location {
    return { group: this.bounded(), object: this.bounded() };
  }
  lengthPrefixed(): Uint8Array {
    return this.take(this.varint());
  }
  /** draft-18 1.4.4 */
  reason(): string {
    const length = this.varint();
    if (length > maxReasonBytes) throw protocolViolation(`reason phrase of ${length} bytes`);
    return fromUtf8(this.take(length));
  }
  /** draft-18 2.4.1: 0 to 32 fields, none empty, 4096 bytes together. */
  namespace(): string[] {
    return this.#namespace().fields;
  }
  #namespace(): { fields: string[]; bytes: number } {
    const count = this.varint();
    if (count > maxNamespaceFields) throw protocolViolation(`namespace of ${count} fields`);
    const fields: string[] = [];
    let bytes = 0;
    for (let i = 0; i < count; i++) {
      const field = this.lengthPrefixed();
      if (field.length === 0) throw protocolViolation('empty namespace field');
      bytes += field.length;
      if (bytes > maxNameBytes) throw protocolViolation('namespace over 4096 bytes');
      fields.push(decodeName(field));
    }
    return { fields, bytes };
  }
  /** Namespace, then name (draft-18 2.4.1). */
  track(): TrackName {
    const { fields, bytes } = this.#namespace();
    const name = this.lengthPrefixed();
    if (bytes + name.length > maxNameBytes) throw protocolViolation('full track name over 4096 bytes');
    return { namespace: fields, name: decodeName(name) };
  }
}

/** Writes the same fields. Values of ours that the draft forbids throw INVALID_ARGUMENT. */
export class WireWriter extends ByteWriter {
  readonly varints: Varints;

  constructor(varints: Varints, capacity?: number) {
    super(capacity);
    this.varints = varints;
  }

  varint(value: number | bigint): this {
    if (value < 0 || (typeof value === 'number' && !Number.isSafeInteger(value)))
      throw new StreamsError('INVALID_ARGUMENT', `not an integer of the wire: ${value}`);
    this.varints.write(this, value);
    return this;
  }
  /** A priority, 0 … 255. */
  priority(value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > 255)
      throw new StreamsError('INVALID_ARGUMENT', `priority ${value} is not within 0 … 255`);
    return this.u8(value);
  }
  location(value: Location): this {
    return this.varint(value.group).varint(value.object);
  }
  lengthPrefixed(bytes: Uint8Array): this {
    return this.varint(bytes.length).bytes(bytes);
  }
  reason(text: string): this {
    return this.lengthPrefixed(boundedReason(text));
  }
  namespace(fields: readonly string[]): this {
    this.#namespace(fields);
    return this;
  }
  #namespace(fields: readonly string[]): number {
    if (fields.length > maxNamespaceFields)
      throw new StreamsError('INVALID_ARGUMENT', 'namespace of more than 32 fields');
    this.varint(fields.length);
    let total = 0;
    for (const field of fields) {
      const bytes = encodeName(field);
      if (bytes.length === 0) throw new StreamsError('INVALID_ARGUMENT', 'empty namespace field');
      total += bytes.length;
      this.lengthPrefixed(bytes);
    }
    if (total > maxNameBytes) throw new StreamsError('INVALID_ARGUMENT', 'namespace over 4096 bytes');
    return total;
  }
  track(track: TrackName): this {
    const total = this.#namespace(track.namespace);
    const name = encodeName(track.name);
    if (total + name.length > maxNameBytes)
      throw new StreamsError('INVALID_ARGUMENT', 'full track name over 4096 bytes');
    return this.lengthPrefixed(name);
  }
}

/** UTF-8 of a reason, cut to 1024 bytes without splitting a character. */
export function boundedReason(text: string): Uint8Array {
  const bytes = utf8(text);
  if (bytes.length <= maxReasonBytes) return bytes;
  let end = maxReasonBytes;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}
