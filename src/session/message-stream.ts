import { streamResetCodes } from '../codec/moqt/codes.ts';
import type { Goaway } from '../codec/moqt/control/goaway.ts';
import type { ControlDecoder } from '../codec/moqt/control-decoder.ts';
import type { Dialect } from '../codec/moqt/dialect.ts';
import type { Message } from '../codec/moqt/message.ts';
import { protocolViolation } from '../codec/moqt/moqt-error.ts';
import type { BidiStream } from '../transport/transport.ts';

/** The messages of one request, both ways, whatever they travel on. One pending `next` at a time. */
export interface MessageStream {
  /** Resolves with the code when the peer no longer reads (STOP_SENDING), with null when our direction ended otherwise. */
  readonly stopped: Promise<number | null>;
  /** null at FIN or after `cancel`. Throws MoqtError, StreamResetError or TRANSPORT_CLOSED. */
  next(): Promise<Message | null>;
  /** Throws INVALID_ARGUMENT for what cannot be encoded; nothing was sent then. */
  send(message: Message): void;
  finish(): void;
  /** The peer's direction only: nothing more of it is of interest. */
  stopReading(code: number): void;
  /** Both directions, as draft-18 3.3.2 has it. */
  cancel(code: number): void;
}

/** A bidirectional stream with control messages both ways (draft-18 3.3). */
export class BidiMessageStream implements MessageStream {
  readonly #stream: BidiStream;
  readonly #dialect: Dialect;
  readonly #decoder: ControlDecoder;
  #queue: Message[] = [];
  #cancelled = false;
  #goaway = false;

  constructor(stream: BidiStream, dialect: Dialect) {
    this.#stream = stream;
    this.#dialect = dialect;
    this.#decoder = dialect.controlDecoder();
  }

  get stopped(): Promise<number | null> {
    return this.#stream.send.stopped;
  }

  async next(): Promise<Message | null> {
    for (;;) {
      const message = this.#queue.shift();
      if (message !== undefined) {
        if (message.type === 'goaway') this.#onGoaway(message);
        return message;
      }
      const bytes = await this.#stream.receive.read();
      if (this.#cancelled) return null;
      if (bytes === null) {
        if (!this.#decoder.idle) throw protocolViolation('request stream ends inside a message');
        return null;
      }
      this.#queue = this.#decoder.push(bytes);
    }
  }

  /** draft-18 10.4: one a stream, and the request id is for the control stream. */
  #onGoaway(message: Goaway): void {
    if (this.#goaway || message.requestId !== undefined) throw protocolViolation('GOAWAY twice, or with a request id');
    this.#goaway = true;
  }

  /** A stream whose peer does not read its few messages is given up. */
  send(message: Message): void {
    this.sendEncoded(this.#dialect.encodeMessage(message));
  }

  sendEncoded(bytes: Uint8Array): void {
    if (!this.#stream.send.write(bytes)) this.cancel(streamResetCodes.excessiveLoad);
  }

  finish(): void {
    this.#stream.send.finish();
  }

  stopReading(code: number): void {
    this.#cancelled = true;
    this.#stream.receive.stop(code);
  }

  cancel(code: number): void {
    this.#cancelled = true;
    this.#stream.send.reset(code);
    this.#stream.receive.stop(code);
  }
}
