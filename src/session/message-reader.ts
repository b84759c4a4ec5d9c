import type { ControlDecoder } from '../codec/moqt/control-decoder.ts';
import type { Dialect } from '../codec/moqt/dialect.ts';
import type { Message } from '../codec/moqt/message.ts';
import { type MoqtError, protocolViolation } from '../codec/moqt/moqt-error.ts';
import { takeBytes } from '../transport/taken.ts';
import type { ReceiveStream, StreamTaker } from '../transport/transport.ts';

export interface MessageTaker {
  /** What it throws ends the reading. */
  message(message: Message): void;
  /** The last call. undefined: FIN, or we stopped; otherwise what `next` would have thrown, or `message` did. */
  end(error: unknown): void;
}

/** Control messages as they come: asked for one by one, or delivered. */
export interface MessageSource {
  /** null at FIN, or when we stopped. Throws MoqtError, StreamResetError or TRANSPORT_CLOSED. One pending call at a time. */
  next(): Promise<Message | null>;
  /** From now on messages go to `taker`, instead of `next`. */
  deliverTo(taker: MessageTaker): void;
}

/** The control messages of one stream. */
export class MessageReader implements MessageSource, StreamTaker {
  readonly #stream: ReceiveStream;
  readonly #decoder: ControlDecoder;
  readonly #check: (message: Message) => void;
  #queue: Message[] = [];
  #taker: MessageTaker | undefined;
  #stopped = false;

  /** `check` throws for a message that has no place there, before it is given out. `head`: what was read already. */
  constructor(
    stream: ReceiveStream,
    dialect: Dialect,
    check: (message: Message) => void = () => {},
    head?: Uint8Array,
  ) {
    this.#stream = stream;
    this.#decoder = dialect.controlDecoder();
    this.#check = check;
    if (head !== undefined) this.#queue = this.#decoder.push(head);
  }

  async next(): Promise<Message | null> {
    for (;;) {
      const message = this.#queue.shift();
      if (message !== undefined) {
        this.#check(message);
        return message;
      }
      const bytes = await this.#stream.read();
      if (this.#stopped) return null;
      if (bytes === null) {
        if (!this.#decoder.idle) throw torn();
        return null;
      }
      this.#queue = this.#decoder.push(bytes);
    }
  }

  deliverTo(taker: MessageTaker): void {
    this.#taker = taker;
    this.#deliver(() => this.#queue.splice(0));
    takeBytes(this.#stream, this);
  }

  stop(code: number): void {
    this.#stopped = true;
    this.#stream.stop(code);
  }

  /** From the stream. */
  bytes(chunk: Uint8Array): void {
    this.#deliver(() => this.#decoder.push(chunk));
  }

  /** From the stream. */
  end(error: unknown): void {
    this.#over(error === undefined && !this.#stopped && !this.#decoder.idle ? torn() : error);
  }

  #deliver(messages: () => Message[]): void {
    try {
      if (this.#stopped || this.#taker === undefined) return;
      for (const message of messages()) {
        if (this.#stopped) return;
        this.#check(message);
        this.#taker.message(message);
      }
    } catch (error) {
      this.#over(error);
    }
  }

  #over(error: unknown): void {
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.end(error);
  }
}

function torn(): MoqtError {
  return protocolViolation('the stream ends inside a message');
}
