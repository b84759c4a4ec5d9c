import { ByteWriter } from '../../core/bytes.ts';
import { quicVarintAt, quicVarintLength, quicVarintSize, writeQuicVarint } from '../quic-varint.ts';
import { streamType } from './code-points.ts';

/** draft-ietf-webtrans-http3 section 4: what begins the streams and datagrams of a session, and its codes. */

const firstCode = 0x52e4a40fa8db;
const lastCode = 0x52e5ac983162;

/** Application code (32 bits) → HTTP/3 code; every 0x1f-th is left out for grease (section 4.4). */
export function toHttp3Code(applicationCode: number): number {
  const code = Math.min(applicationCode, 0xffffffff);
  return firstCode + code + Math.floor(code / 0x1e);
}

/** undefined when the code is none of an application. */
export function fromHttp3Code(code: number): number | undefined {
  if (code < firstCode || code > lastCode || (code - 0x21) % 0x1f === 0) return undefined;
  const shifted = code - firstCode;
  return shifted - Math.floor(shifted / 0x1f);
}

export function encodeStreamHeader(kind: 'uni' | 'bidi', sessionId: number): Uint8Array {
  const writer = new ByteWriter(10);
  writeQuicVarint(writer, kind === 'uni' ? streamType.webTransportUni : streamType.webTransportBidi);
  writeQuicVarint(writer, sessionId);
  return writer.finish();
}

export type StreamHeader = {
  /** First integer of the stream; exact up to 2^53-1, beyond that near. */
  readonly type: number;
  /** Of the two WebTransport types only. */
  readonly sessionId: number | undefined;
  /** Bytes it took. */
  readonly length: number;
};

/** The header at the start of a stream; undefined while bytes are missing (16 are always enough). */
export function decodeStreamHeader(bytes: Uint8Array): StreamHeader | undefined {
  if (bytes.length === 0) return undefined;
  const typeLength = quicVarintLength(bytes[0]!);
  if (bytes.length < typeLength) return undefined;
  const type = quicVarintAt(bytes, 0);
  if (type !== streamType.webTransportUni && type !== streamType.webTransportBidi) {
    return { type, sessionId: undefined, length: typeLength };
  }
  if (bytes.length === typeLength) return undefined;
  const length = typeLength + quicVarintLength(bytes[typeLength]!);
  if (bytes.length < length) return undefined;
  return { type, sessionId: quicVarintAt(bytes, typeLength), length };
}

/** HTTP/3 datagram (RFC 9297 2.1): the quarter stream id of the CONNECT stream, then the payload. */
export function encodeDatagram(sessionId: number, payload: Uint8Array): Uint8Array {
  const quarter = sessionId / 4;
  const writer = new ByteWriter(quicVarintSize(quarter) + payload.length);
  writeQuicVarint(writer, quarter);
  return writer.bytes(payload).finish();
}

/** undefined when it is cut off: the datagram is dropped. */
export function decodeDatagram(bytes: Uint8Array): { sessionId: number; payload: Uint8Array } | undefined {
  if (bytes.length === 0) return undefined;
  const length = quicVarintLength(bytes[0]!);
  if (bytes.length < length) return undefined;
  return { sessionId: quicVarintAt(bytes, 0) * 4, payload: bytes.subarray(length) };
}
