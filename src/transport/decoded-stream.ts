import { emptyBytes } from '../core/bytes.ts';
import { deliverBytes } from './deliver.ts';
import type { ReceiveStream, StreamTaker } from './transport.ts';

export interface StreamDecoder<T> {
  /** Items that are whole now. Throws for what is malformed. */
  push(bytes: Uint8Array): T[];
  /** At FIN. Throws inside an item. */
  finish(): void;
}

export interface ItemTaker<T> {
  /** What it throws ends the reading. */
  item(item: T): void;
  /** The last call. undefined: FIN, or we stopped; otherwise what `next` would have thrown, or `item` did. */
  end(error: unknown): void;
}

/** Items in order: asked for one by one, or delivered. */
export interface ItemSource<T> {
  /** null at FIN, or when we stopped. Throws what the decoder does, StreamResetError or TRANSPORT_CLOSED. One pending call at a time. */
  next(): Promise<T | null>;
  /** From now on items go to `taker`, instead of `next`. */
  deliverTo(taker: ItemTaker<T>): void;
}

/** What a decoder makes of a stream. */
export class DecodedStream<T> implements ItemSource<T>, StreamTaker {
  readonly #stream: ReceiveStream;
  readonly #decoder: StreamDecoder<T>;
  #items: T[];
  #taker: ItemTaker<T> | undefined;
  #stopped = false;

  /** `head`: what was read of the stream already. Throws what the decoder does. */
  constructor(stream: ReceiveStream, decoder: StreamDecoder<T>, head: Uint8Array = emptyBytes) {
    this.#stream = stream;
    this.#decoder = decoder;
    this.#items = decoder.push(head);
  }

  async next(): Promise<T | null> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return item;
      const bytes = await this.#stream.read();
      if (this.#stopped) return null;
      if (bytes === null) {
        this.#decoder.finish();
        return null;
      }
      this.#items = this.#decoder.push(bytes);
    }
  }

  deliverTo(taker: ItemTaker<T>): void {
    this.#taker = taker;
    this.#deliver(() => this.#items.splice(0));
    deliverBytes(this.#stream, this);
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
    this.#over(error ?? this.#torn());
  }

  #deliver(items: () => T[]): void {
    const taker = this.#taker;
    if (this.#stopped || taker === undefined) return;
    try {
      for (const item of items()) {
        if (this.#stopped) return;
        taker.item(item);
      }
    } catch (error) {
      this.#over(error);
    }
  }

  /** What is wrong with a FIN here. */
  #torn(): unknown {
    if (this.#stopped) return undefined;
    try {
      this.#decoder.finish();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  #over(error: unknown): void {
    const taker = this.#taker;
    this.#taker = undefined;
    taker?.end(error);
  }
}
