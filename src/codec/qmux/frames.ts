import { ByteReader, ByteWriter, fromUtf8, utf8 } from '../../core/bytes.ts';
import { readQuicCodePoint, readQuicVarint, writeQuicVarint } from '../quic-varint.ts';
import { frameType, longFrameType, qmuxCode } from './code-points.ts';
import {
  decodeParameters,
  encodeParameters,
  type QmuxParameters,
  readLongVarint,
  writeLongVarint,
} from './parameters.ts';
import { QmuxError } from './qmux-error.ts';

/**
 * The frames of QMux (draft-ietf-quic-qmux-02 section 4, laid out as in RFC 9000 section 19 and RFC 9221). Limits and
 * error codes above 2^53-1 come out as the nearest number. `data` is a view into what was decoded.
 */
export type QmuxFrame =
  | StreamFrame
  | { type: 'reset-stream'; id: number; code: number; finalSize: number }
  | { type: 'stop-sending'; id: number; code: number }
  | { type: 'max-data'; max: number }
  | { type: 'max-stream-data'; id: number; max: number }
  | { type: 'max-streams'; bidirectional: boolean; max: number }
  /** DATA_BLOCKED, STREAM_DATA_BLOCKED, STREAMS_BLOCKED: only news. */
  | { type: 'blocked' }
  | { type: 'close'; by: 'transport' | 'application'; code: number; reason: string }
  | { type: 'datagram'; data: Uint8Array; frameBytes: number }
  | { type: 'parameters'; parameters: QmuxParameters }
  | { type: 'ping'; response: boolean; sequence: bigint };

/** `offset` undefined: it was not said. */
export type StreamFrame = { type: 'stream'; id: number; offset: number | undefined; data: Uint8Array; fin: boolean };

/** Frames this end sends. */
export type OutgoingFrame = Exclude<QmuxFrame, { type: 'blocked' | 'datagram' | 'stream' }>;

/**
 * The frames of one record, which over WebSocket is one binary message without the Size field
 * (draft-lcurley-qmux-websocket, Record Framing); padding is left out. Throws QmuxError: FRAME_ENCODING_ERROR for what is
 * no frame, is truncated or is forbidden (draft-02 section 4).
 */
export function decodeRecord(bytes: Uint8Array): QmuxFrame[] {
  const reader = new ByteReader(bytes);
  const frames: QmuxFrame[] = [];
  try {
    while (reader.remaining > 0) {
      if (reader.bytes[reader.offset] === frameType.padding) reader.offset++;
      else frames.push(decodeFrame(reader));
    }
  } catch (error) {
    if (error instanceof QmuxError) throw error;
    throw new QmuxError(qmuxCode.frameEncodingError, 'truncated frame', 'MALFORMED');
  }
  return frames;
}

function decodeFrame(reader: ByteReader): QmuxFrame {
  const start = reader.offset;
  const long = readLongVarint(reader);
  const type = Number(long);
  if (type >= frameType.stream && type <= frameType.stream + 7) return decodeStream(reader, type);
  switch (type) {
    case frameType.resetStream:
      return {
        type: 'reset-stream',
        id: readQuicVarint(reader),
        code: readQuicCodePoint(reader),
        finalSize: readQuicCodePoint(reader),
      };
    case frameType.stopSending:
      return { type: 'stop-sending', id: readQuicVarint(reader), code: readQuicCodePoint(reader) };
    case frameType.maxData:
      return { type: 'max-data', max: readQuicCodePoint(reader) };
    case frameType.maxStreamData:
      return { type: 'max-stream-data', id: readQuicVarint(reader), max: readQuicCodePoint(reader) };
    case frameType.maxStreamsBidi:
    case frameType.maxStreamsUni:
      return { type: 'max-streams', bidirectional: type === frameType.maxStreamsBidi, max: streamCount(reader) };
    case frameType.streamDataBlocked:
      readQuicVarint(reader);
      readQuicCodePoint(reader);
      return { type: 'blocked' };
    case frameType.dataBlocked:
    case frameType.streamsBlockedBidi:
    case frameType.streamsBlockedUni:
      readQuicCodePoint(reader);
      return { type: 'blocked' };
    case frameType.connectionClose:
    case frameType.applicationClose: {
      const code = readQuicCodePoint(reader);
      if (type === frameType.connectionClose) readLongVarint(reader);
      const reason = fromUtf8(reader.take(readQuicVarint(reader)));
      return { type: 'close', by: type === frameType.connectionClose ? 'transport' : 'application', code, reason };
    }
    case frameType.datagram:
      return { type: 'datagram', data: reader.rest(), frameBytes: reader.offset - start };
    case frameType.datagramWithLength:
      return { type: 'datagram', data: reader.take(readQuicVarint(reader)), frameBytes: reader.offset - start };
  }
  switch (long) {
    case longFrameType.transportParameters:
      return { type: 'parameters', parameters: decodeParameters(reader.take(readQuicVarint(reader))) };
    case longFrameType.pingRequest:
    case longFrameType.pingResponse:
      return { type: 'ping', response: long === longFrameType.pingResponse, sequence: readLongVarint(reader) };
  }
  throw new QmuxError(qmuxCode.frameEncodingError, `no frame of QMux: 0x${long.toString(16)}`);
}

function decodeStream(reader: ByteReader, type: number): StreamFrame {
  const id = readQuicVarint(reader);
  const offset = type & 4 ? readQuicVarint(reader) : undefined;
  const data = type & 2 ? reader.take(readQuicVarint(reader)) : reader.rest();
  return { type: 'stream', id, offset, data, fin: (type & 1) !== 0 };
}

/** A code of another connection may be one that is only known about (see quicVarintAt). */
function bounded(code: number): number {
  return Math.min(code, Number.MAX_SAFE_INTEGER);
}

/** RFC 9000 19.11. */
function streamCount(reader: ByteReader): number {
  const max = readQuicCodePoint(reader);
  if (max > 2 ** 60) throw new QmuxError(qmuxCode.frameEncodingError, 'more streams than there are');
  return max;
}

/** Everything but data. A close is CONNECTION_CLOSE or its application form, as `by` says. */
export function encodeFrame(frame: OutgoingFrame): Uint8Array {
  const writer = new ByteWriter(32);
  const put = (...values: number[]) => {
    for (const value of values) writeQuicVarint(writer, value);
  };
  switch (frame.type) {
    case 'reset-stream':
      put(frameType.resetStream, frame.id, bounded(frame.code), frame.finalSize);
      break;
    case 'stop-sending':
      put(frameType.stopSending, frame.id, bounded(frame.code));
      break;
    case 'max-data':
      put(frameType.maxData, frame.max);
      break;
    case 'max-stream-data':
      put(frameType.maxStreamData, frame.id, frame.max);
      break;
    case 'max-streams':
      put(frame.bidirectional ? frameType.maxStreamsBidi : frameType.maxStreamsUni, frame.max);
      break;
    case 'close': {
      const reason = utf8(frame.reason);
      if (frame.by === 'application') put(frameType.applicationClose, bounded(frame.code));
      else put(frameType.connectionClose, bounded(frame.code), 0);
      put(reason.length);
      writer.bytes(reason);
      break;
    }
    case 'parameters': {
      const parameters = encodeParameters(frame.parameters);
      writeLongVarint(writer, longFrameType.transportParameters);
      put(parameters.length);
      writer.bytes(parameters);
      break;
    }
    case 'ping':
      writeLongVarint(writer, frame.response ? longFrameType.pingResponse : longFrameType.pingRequest);
      writeLongVarint(writer, frame.sequence);
  }
  return writer.finish();
}

/** Header of a STREAM frame with offset and length; `length` bytes of data follow it. */
export function encodeStreamHeader(id: number, offset: number, length: number, fin: boolean): Uint8Array {
  const writer = new ByteWriter(32);
  for (const value of [frameType.stream | 6 | (fin ? 1 : 0), id, offset, length]) writeQuicVarint(writer, value);
  return writer.finish();
}

/** Most bytes `encodeStreamHeader` takes for this stream with up to `maxStreamFrameData` of data. */
export const maxStreamHeaderBytes = 1 + 8 + 8 + 2;

/** Header of a DATAGRAM frame with length; `length` bytes follow it. */
export function encodeDatagramHeader(length: number): Uint8Array {
  const writer = new ByteWriter(8);
  writeQuicVarint(writer, frameType.datagramWithLength);
  writeQuicVarint(writer, length);
  return writer.finish();
}
