import type { Message, Request } from '../../../codec/moqt/message.ts';
import type { BidiMessageStream, MessageStream } from '../message-stream.ts';

/** SUBSCRIBE_NAMESPACE of draft-16 has a stream of its own already (9.25), but answers carry the request id. */
export class PrefixStream implements MessageStream {
  readonly #stream: BidiMessageStream;
  readonly #requestId: number;
  #first: Request | undefined;

  /** `first`: was read already. */
  constructor(stream: BidiMessageStream, requestId: number, first?: Request) {
    this.#stream = stream;
    this.#requestId = requestId;
    this.#first = first;
  }

  get stopped(): Promise<number | null> {
    return this.#stream.stopped;
  }

  next(): Promise<Message | null> {
    const first = this.#first;
    this.#first = undefined;
    return first === undefined ? this.#stream.next() : Promise.resolve(first);
  }

  send(message: Message): void {
    // Nothing says that a track is not offered.
    if (message.type === 'publishBlocked') return;
    const isAnswer = message.type === 'requestOk' || message.type === 'requestError';
    this.#stream.send(isAnswer ? { ...message, requestId: this.#requestId } : message);
  }

  finish(): void {
    this.#stream.finish();
  }

  stopReading(code: number): void {
    this.#stream.stopReading(code);
  }

  cancel(code: number): void {
    this.#stream.cancel(code);
  }
}
