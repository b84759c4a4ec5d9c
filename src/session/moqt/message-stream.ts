import { streamResetCodes } from '../../codec/moqt/codes.ts';
import type { Dialect } from '../../codec/moqt/dialect.ts';
import type { Message } from '../../codec/moqt/message.ts';
import { protocolViolation } from '../../codec/moqt/moqt-error.ts';
import { DecodedStream, type ItemTaker } from '../../transport/decoded-stream.ts';
import type { BidiStream } from '../../transport/transport.ts';

/** The messages of one request, both ways, whatever they travel on. One pending `next` at a time. */
export interface MessageStream {
  /** Resolves with the code when the peer no longer reads (STOP_SENDING), with null when our direction ended otherwise. */
  readonly stopped: Promise<number | null>;
  /** null at FIN or after `cancel`. Throws MoqtError, StreamResetError or TRANSPORT_CLOSED. */
  next(): Promise<Message | null>;
  /** From now on messages go to `taker`, instead of `next`, and it hears of STOP_SENDING; where that spares the wait. */
  deliverTo?(taker: ItemTaker<Message> & StopListener): void;
  /** Throws INVALID_ARGUMENT for what cannot be encoded; nothing was sent then. */
  send(message: Message): void;
  finish(): void;
  /** The peer's direction only: nothing more of it is of interest. */
  stopReading(code: number): void;
  /** Both directions, as draft-18 3.3.2 has it. */
  cancel(code: number): void;
}

export interface StopListener {
  /** The peer no longer reads. */
  stopped(): void;
}

/** A bidirectional stream with control messages both ways (draft-18 3.3). */
export class BidiMessageStream implements MessageStream {
  readonly #stream: BidiStream;
  readonly #dialect: Dialect;
  readonly #reader: DecodedStream<Message>;
  #goaway = false;

  constructor(stream: BidiStream, dialect: Dialect) {
    this.#stream = stream;
    this.#dialect = dialect;
    this.#reader = new DecodedStream(stream.receive, dialect.controlDecoder());
  }

  get stopped(): Promise<number | null> {
    return this.#stream.send.stopped;
  }

  async next(): Promise<Message | null> {
    const message = await this.#reader.next();
    if (message !== null) this.#check(message);
    return message;
  }

  deliverTo(taker: ItemTaker<Message> & StopListener): void {
    this.#stream.send.onEnd({ streamEnded: (code) => code !== null && taker.stopped() });
    this.#reader.deliverTo({
      item: (message) => {
        this.#check(message);
        taker.item(message);
      },
      end: (error) => taker.end(error),
    });
  }

  /** draft-18 10.4: one a stream, and the request id is for the control stream. */
  #check(message: Message): void {
    if (message.type !== 'goaway') return;
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
    this.#reader.stop(code);
  }

  cancel(code: number): void {
    this.#stream.send.reset(code);
    this.#reader.stop(code);
  }
}
