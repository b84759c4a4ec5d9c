import { concat, emptyBytes } from '../../../core/bytes.ts';
import { PayloadStream, type PromisedItem } from '../data/payload-stream.ts';
import type { MoqObject } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import { quicVarints } from '../quic-varints.ts';
import { type WireReader, WireWriter } from '../wire.ts';
import { timestampOf, timestampProperty } from './timestamp.ts';
import { hasTrackInfo, type LiteVersion } from './version.ts';

/** Frames that say that an object is missing; a longer gap is not told. */
const maxGapFrames = 64;
const maxTimestamp = (1n << 61n) - 1n;

/**
 * An object as a frame (draft-lcurley-moq-lite-05, FRAME); no bytes for a status, which moq-lite has not. Frames are counted, not
 * numbered, so objects that are missing become empty frames. An object without a timestamp has 0. Never throws.
 */
export function encodeFrame(
  version: LiteVersion,
  previousObjectId: number | undefined,
  { objectId, status, properties, payload }: MoqObject,
  previousProperties: Uint8Array | undefined,
): Uint8Array {
  if (status !== 'normal') return emptyBytes;
  const gap = previousObjectId === undefined ? objectId : objectId - previousObjectId - 1;
  const missing = gap > 0 && gap <= maxGapFrames ? gap : 0;
  const timed = hasTrackInfo(version);
  const delta = timed ? zigzag(timeOf(properties) - timeOf(previousProperties)) : 0n;
  const head = new WireWriter(quicVarints, 24 + missing * 2);
  for (let i = 0; i < missing; i++) {
    if (timed) head.varint(i === 0 ? delta : 0);
    head.varint(0);
  }
  if (timed) head.varint(missing > 0 ? 0 : delta);
  head.varint(payload.length);
  return concat([head.finish(), payload]);
}

/** One stream of frames out of chunks of any size, as objects numbered from 0; bounds and views are those of PayloadStream. */
export class FrameDecoder {
  readonly #timed: boolean;
  readonly #stream: PayloadStream<MoqObject>;
  #nextId = 0;
  #timestamp = 0n;

  constructor(version: LiteVersion, options: { maxObjectBytes?: number } = {}) {
    this.#timed = hasTrackInfo(version);
    this.#stream = new PayloadStream(quicVarints, options.maxObjectBytes, (reader) => this.#readHead(reader));
  }

  push(bytes: Uint8Array): MoqObject[] {
    return this.#stream.push(bytes);
  }

  /** To be called at FIN. Throws PROTOCOL_VIOLATION when it came inside a frame. */
  finish(): void {
    if (!this.#stream.idle) throw protocolViolation('a stream ends inside a frame');
  }

  #readHead(reader: WireReader): PromisedItem<MoqObject> {
    const timestamp = this.#timed ? this.#timestamp + unzigzag(reader.varintBig()) : 0n;
    const length = reader.varint();
    if (timestamp < 0n || timestamp > maxTimestamp) throw protocolViolation(`timestamp ${timestamp}`);
    this.#timestamp = timestamp;
    return { length, item: (payload) => this.#object(payload) };
  }

  #object(payload: Uint8Array): MoqObject {
    const properties = this.#timed ? timestampProperty(this.#timestamp) : undefined;
    return { objectId: this.#nextId++, status: 'normal', properties, payload };
  }
}

/** 62 bits are all that the wire has for the difference of two: larger ones come from elsewhere, and count as none. */
function timeOf(properties: Uint8Array | undefined): bigint {
  const timestamp = timestampOf(properties) ?? 0n;
  return timestamp > maxTimestamp ? 0n : timestamp;
}

function zigzag(delta: bigint): bigint {
  return delta >= 0n ? delta << 1n : (-delta << 1n) - 1n;
}

function unzigzag(value: bigint): bigint {
  return (value >> 1n) ^ -(value & 1n);
}
