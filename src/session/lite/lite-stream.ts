import { streamResetCodes } from '../../codec/moqt/codes.ts';
import type { MessageCodec } from '../../codec/moqt/lite/message.ts';
import { encodeMessage } from '../../codec/moqt/lite/message.ts';
import { StreamBuffer } from '../../codec/moqt/lite/stream-buffer.ts';
import { withStreamType } from '../../codec/moqt/lite/stream-types.ts';
import type { LiteVersion } from '../../codec/moqt/lite/version.ts';
import { protocolViolation } from '../../codec/moqt/moqt-error.ts';
import { transportPriorities } from '../../core/send-order.ts';
import type { BidiStream, ReceiveStream, SendStream, Transport } from '../../transport/transport.ts';

/** What comes on a stream, message by message. One pending read at a time. */
export class LiteReader {
  readonly receive: ReceiveStream;
  readonly #buffer: StreamBuffer;

  constructor(receive: ReceiveStream, version: LiteVersion) {
    this.receive = receive;
    this.#buffer = new StreamBuffer(version);
  }

  /** An integer, as streams begin with one. null at FIN. Throws like `message`. */
  varint(): Promise<number | null> {
    return this.#next(() => this.#buffer.varint());
  }

  /** null at FIN, and after `stop`. Throws MoqtError, StreamResetError, TRANSPORT_CLOSED. */
  message<T>(codec: MessageCodec<T>): Promise<T | null> {
    return this.#next(() => this.#buffer.message(codec));
  }

  /** A message told by the integer in front of it. */
  typed<T>(codecFor: (type: number) => MessageCodec<T>): Promise<T | null> {
    return this.#next(() => this.#buffer.typed(codecFor));
  }

  /** What was read and is no message: frames. */
  rest(): Uint8Array {
    return this.#buffer.rest();
  }

  stop(code: number): void {
    this.receive.stop(code);
  }

  async #next<T>(take: () => T | undefined): Promise<T | null> {
    for (;;) {
      const value = take();
      if (value !== undefined) return value;
      const bytes = await this.receive.read();
      if (bytes === null) {
        if (this.#buffer.length > 0) throw protocolViolation('a stream ends inside a message');
        return null;
      }
      this.#buffer.push(bytes);
    }
  }
}

/** A bidirectional stream: one request and its answers (draft-lcurley-moq-lite, Bidirectional Streams). */
export class LiteStream {
  readonly reader: LiteReader;
  readonly send: SendStream;

  constructor({ send, receive }: BidiStream, version: LiteVersion) {
    this.send = send;
    this.reader = new LiteReader(receive, version);
  }

  /** A stream whose peer does not read its few messages is given up. */
  write(bytes: Uint8Array): void {
    if (!this.send.write(bytes)) this.cancel(streamResetCodes.excessiveLoad);
  }

  finish(): void {
    this.send.finish();
  }

  /** Both directions. */
  cancel(code: number): void {
    this.send.reset(code);
    this.reader.stop(code);
  }
}

/** Asks the peer for something. Throws UNSUPPORTED for what moq-lite cannot say. */
export function openRequest<T>(
  { transport, version }: { readonly transport: Transport; readonly version: LiteVersion },
  type: number,
  codec: MessageCodec<T>,
  value: T,
): LiteStream {
  const bytes = withStreamType(type, encodeMessage(codec, value, version));
  const stream = new LiteStream(transport.openBidi({ priority: transportPriorities.request }), version);
  stream.write(bytes);
  return stream;
}
