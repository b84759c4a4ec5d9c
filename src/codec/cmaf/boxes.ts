import { ByteReader, ByteWriter, concat } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';

/** One ISO base media box (ISO 14496-12 4.2). Views into the bytes it was read from. */
export type Box = {
  /** Four characters; bytes outside ASCII are kept as Latin-1. */
  readonly type: string;
  /** Offset of the box in the bytes given to `readBoxes`. */
  readonly start: number;
  /** Whole box, header included. */
  readonly bytes: Uint8Array;
  /** What follows size, type, largesize and the `uuid` user type. */
  readonly payload: Uint8Array;
};

/** Version and flags of a FullBox (ISO 14496-12 4.2.2), and a reader standing behind them. */
export type FullBox = { readonly version: number; readonly flags: number; readonly reader: ByteReader };

export type BoxHeader = { readonly type: string; readonly size: number; readonly headerLength: number };

const maxBoxes = 4096;

/**
 * Header at the beginning of `bytes`, or null when more bytes are needed. `size` 0 ("to the end of the file") is answered
 * as 0. Throws MALFORMED on a size smaller than its header or beyond 2^53.
 */
export function readBoxHeader(bytes: Uint8Array): BoxHeader | null {
  if (bytes.length < 8) return null;
  const reader = new ByteReader(bytes);
  let size = reader.u32();
  const type = fourCc(reader.take(4));
  let headerLength = 8;
  if (size === 1) {
    if (bytes.length < 16) return null;
    const large = reader.u64();
    if (large > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(type, 'is too large');
    size = Number(large);
    headerLength = 16;
    if (size < headerLength) throw malformed(type, `says it has ${size} bytes`);
  }
  if (type === 'uuid') headerLength += 16;
  if (size !== 0 && size < headerLength) throw malformed(type, `says it has ${size} bytes`);
  return { type, size, headerLength };
}

/** `bytes` as a sequence of whole boxes, not looking inside them. Throws MALFORMED when a box claims more than is there. */
export function readBoxes(bytes: Uint8Array): Box[] {
  const boxes: Box[] = [];
  let start = 0;
  while (start < bytes.length) {
    const rest = bytes.subarray(start);
    const header = readBoxHeader(rest);
    if (header === null) throw malformed('box', 'header is truncated');
    const size = header.size === 0 ? rest.length : header.size;
    if (size > rest.length || header.headerLength > size)
      throw malformed(header.type, `wants ${size} bytes of ${rest.length}`);
    if (boxes.length === maxBoxes) throw new StreamsError('LIMIT_EXCEEDED', `more than ${maxBoxes} boxes`);
    boxes.push({
      type: header.type,
      start,
      bytes: rest.subarray(0, size),
      payload: rest.subarray(header.headerLength, size),
    });
    start += size;
  }
  return boxes;
}

/** First box of that type. */
export function findBox(boxes: readonly Box[], type: string): Box | undefined {
  return boxes.find((box) => box.type === type);
}

/** As findBox, but throws MALFORMED when there is none. */
export function needBox(boxes: readonly Box[], type: string): Box {
  const box = findBox(boxes, type);
  if (box === undefined) throw malformed(type, 'is missing');
  return box;
}

/** Follows a path of containers below `boxes`: `needPath(top, 'mdia', 'minf')`. Throws MALFORMED where it breaks off. */
export function needPath(boxes: readonly Box[], ...path: string[]): Box {
  let level = boxes;
  let box: Box | undefined;
  for (const type of path) {
    box = needBox(level, type);
    level = type === path.at(-1) ? [] : readBoxes(box.payload);
  }
  if (box === undefined) throw malformed('box', 'path is empty');
  return box;
}

export function readFullBox(box: Box): FullBox {
  const reader = new ByteReader(box.payload);
  const version = reader.u8();
  return { version, flags: reader.u24(), reader };
}

/** A box of the given type around its parts. */
export function writeBox(type: string, ...parts: Uint8Array[]): Uint8Array {
  const payload = concat(parts.length === 0 ? [new Uint8Array(0)] : parts);
  const writer = new ByteWriter(payload.length + 8).u32(payload.length + 8);
  return writer.bytes(fourCcBytes(type)).bytes(payload).finish();
}

export function writeFullBox(type: string, version: number, flags: number, ...parts: Uint8Array[]): Uint8Array {
  return writeBox(type, new ByteWriter(4).u8(version).u24(flags).finish(), ...parts);
}

/** `type` must be four Latin-1 characters. */
export function fourCcBytes(type: string): Uint8Array {
  return Uint8Array.from([0, 1, 2, 3], (i) => type.charCodeAt(i) & 0xff);
}

export function fourCc(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 4));
}

function malformed(type: string, what: string): StreamsError {
  return new StreamsError('MALFORMED', `${printable(type)} ${what}`);
}

function printable(type: string): string {
  return type.replace(/[^\x20-\x7e]/g, '?');
}
