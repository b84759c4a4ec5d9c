import { ByteReader } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { GatheredBytes } from '../../core/gathered-bytes.ts';
import { messageType, type RtmpMessage } from './message.ts';

export type ChunkDecoderOptions = {
  /** Largest audio, video and aggregate message; default 16 MiB. */
  maxMediaBytes?: number;
  /** Largest message of any other type; default 64 KiB. */
  maxOtherBytes?: number;
  /** Chunk streams a peer may use; default 64. */
  maxChunkStreams?: number;
  /** Bytes of unfinished messages over all chunk streams; default 32 MiB. May be changed later. */
  maxPendingBytes?: number;
};

type ChunkStream = {
  timestamp: number;
  /** As last announced: absolute for type 0, else a delta. */
  step: number;
  extended: boolean;
  length: number;
  type: number;
  streamId: number;
  received: GatheredBytes;
};

/**
 * Chunks to messages (RTMP 1.0 section 5.3). Resumable: push whatever arrived. Applies Set Chunk Size and Abort Message
 * itself (Set Chunk Size is not handed out). Throws MALFORMED, PROTOCOL_VIOLATION or LIMIT_EXCEEDED; unusable afterwards.
 */
export class ChunkDecoder {
  maxPendingBytes: number;
  readonly #options: Required<Omit<ChunkDecoderOptions, 'maxPendingBytes'>>;
  readonly #streams = new Map<number, ChunkStream>();
  #chunkSize = 128;
  readonly #waiting = new GatheredBytes();
  /** Bytes needed before there is any point in looking again. */
  #wanted = 1;
  #pendingBytes = 0;

  constructor(options: ChunkDecoderOptions = {}) {
    this.#options = {
      maxMediaBytes: options.maxMediaBytes ?? 16 << 20,
      maxOtherBytes: options.maxOtherBytes ?? 64 << 10,
      maxChunkStreams: options.maxChunkStreams ?? 64,
    };
    this.maxPendingBytes = options.maxPendingBytes ?? 32 << 20;
  }

  push(bytes: Uint8Array): RtmpMessage[] {
    const messages: RtmpMessage[] = [];
    this.#waiting.push(bytes);
    if (this.#waiting.length < this.#wanted) {
      this.#checkPending();
      return messages;
    }
    const input = this.#waiting.take();
    let at = 0;
    for (;;) {
      const used = this.#chunk(input, at, messages);
      if (used === 0) break;
      at += used;
    }
    this.#waiting.push(input.slice(at));
    return messages;
  }

  /** Bytes used by the chunk at `at`, 0 when it is not whole yet. */
  #chunk(input: Uint8Array, at: number, messages: RtmpMessage[]): number {
    const head = headerLength(input, at);
    this.#wanted = Math.max(1, head);
    if (head === 0 || input.length - at < head) return 0;
    const reader = new ByteReader(input.subarray(at));
    const first = reader.u8();
    const format = first >> 6;
    let id = first & 0x3f;
    if (id === 0) id = 64 + reader.u8();
    else if (id === 1) id = 64 + reader.u8() + reader.u8() * 256;
    const known = this.#streams.get(id);
    if (known === undefined && format !== 0)
      if (format > 1)
        // librtmp opens chunk streams with type 1; there is nothing to inherit but message stream 0.
        throw new StreamsError('PROTOCOL_VIOLATION', `RTMP chunk stream ${id} begins with a type ${format} chunk`);
    if (known === undefined && this.#streams.size >= this.#options.maxChunkStreams)
      throw new StreamsError('LIMIT_EXCEEDED', 'too many RTMP chunk streams');
    const stream = known ?? newStream();
    const fresh = stream.received.length === 0;
    if (!fresh && format !== 3)
      throw new StreamsError('PROTOCOL_VIOLATION', 'an RTMP message begins inside of another');

    let { step, length, type, streamId, extended } = stream;
    if (format < 3) {
      step = reader.u24();
      extended = step === 0xffffff;
      if (format < 2) {
        length = reader.u24();
        type = reader.u8();
        if (format === 0) streamId = readLittleEndian(reader);
      }
    }
    if (extended) {
      this.#wanted = reader.offset + 4;
      if (reader.remaining < 4) return 0;
      const value = reader.u32();
      // Some senders leave the field out of type 3 chunks: then these four bytes are payload (as librtmp and OBS guess too).
      if (format < 3) step = value;
      else if (value !== stream.step) reader.offset -= 4;
    }
    const want = Math.min(this.#chunkSize, length - stream.received.length);
    this.#checkLength(type, length);
    this.#wanted = reader.offset + want;
    if (reader.remaining < want) return 0;
    if (known === undefined) this.#streams.set(id, stream);
    if (fresh) {
      stream.timestamp = format === 0 ? step : (stream.timestamp + step) >>> 0;
      Object.assign(stream, { step, length, type, streamId, extended });
    }
    this.#pendingBytes += want;
    this.#checkPending();
    // A first piece is kept as it is, and must not keep the whole input with it.
    stream.received.push(fresh ? reader.take(want).slice() : reader.take(want), length);
    if (stream.received.length === length) this.#finish(stream, messages);
    return reader.offset;
  }

  #finish(stream: ChunkStream, messages: RtmpMessage[]): void {
    this.#pendingBytes -= stream.received.length;
    const payload = stream.received.take();
    if (stream.type === messageType.setChunkSize) {
      const size = new ByteReader(payload).u32();
      if (size < 1 || size > 0x7fffffff) throw new StreamsError('PROTOCOL_VIOLATION', `RTMP chunk size ${size}`);
      this.#chunkSize = Math.min(size, 0xffffff);
    } else if (stream.type === messageType.abort) {
      const aborted = this.#streams.get(new ByteReader(payload).u32());
      if (aborted !== undefined) this.#pendingBytes -= aborted.received.take().length;
    } else {
      const { type, streamId, timestamp } = stream;
      messages.push({ type, streamId, timestamp, payload });
    }
  }

  #checkPending(): void {
    if (this.#pendingBytes + this.#waiting.length > this.maxPendingBytes)
      throw new StreamsError('LIMIT_EXCEEDED', 'too many bytes in unfinished RTMP messages');
  }

  #checkLength(type: number, length: number): void {
    const media = type === messageType.audio || type === messageType.video || type === messageType.aggregate;
    const limit = media ? this.#options.maxMediaBytes : this.#options.maxOtherBytes;
    if (length > limit) throw new StreamsError('LIMIT_EXCEEDED', `an RTMP message (type ${type}) of ${length} bytes`);
  }
}

function newStream(): ChunkStream {
  return { timestamp: 0, step: 0, extended: false, length: 0, type: 0, streamId: 0, received: new GatheredBytes() };
}

const messageHeaderLengths = [11, 7, 3, 0];

/** Basic and message header without the extended timestamp; 0 when not even the first byte is there. */
function headerLength(input: Uint8Array, at: number): number {
  const first = input[at];
  if (first === undefined) return 0;
  const id = first & 0x3f;
  return (id === 0 ? 2 : id === 1 ? 3 : 1) + messageHeaderLengths[first >> 6]!;
}

/** Message stream ids are the one little-endian field (5.3.1.2.1). */
function readLittleEndian(reader: ByteReader): number {
  const bytes = reader.take(4);
  return (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)) >>> 0;
}
