import type { Message } from '../../../codec/moqt/message.ts';
import type { MessageStream } from '../message-stream.ts';
import type { SharedRequest } from './shared-request.ts';

/**
 * SUBSCRIBE_NAMESPACE of the peer where it has no stream of its own (draft-14 9.28): it hears of namespaces by PUBLISH_NAMESPACE,
 * one request of ours each, whose answers tell us nothing.
 */
export class SharedPrefix implements MessageStream {
  readonly #request: SharedRequest;
  readonly #publish: (suffix: readonly string[]) => MessageStream;
  readonly #published = new Map<string, MessageStream>();

  constructor(request: SharedRequest, publish: (suffix: readonly string[]) => MessageStream) {
    this.#request = request;
    this.#publish = publish;
  }

  get stopped(): Promise<number | null> {
    return this.#request.stopped;
  }

  next(): Promise<Message | null> {
    return this.#request.next();
  }

  send(message: Message): void {
    switch (message.type) {
      case 'namespace': {
        const stream = this.#publish(message.suffix);
        stream.stopReading(0);
        this.#published.set(JSON.stringify(message.suffix), stream);
        return;
      }
      case 'namespaceDone': {
        const key = JSON.stringify(message.suffix);
        this.#published.get(key)?.cancel(0);
        this.#published.delete(key);
        return;
      }
      case 'publishBlocked':
        // Nothing says that a track is not offered.
        return;
      default:
        this.#request.send(message);
    }
  }

  finish(): void {
    this.#request.finish();
  }

  stopReading(): void {
    this.#request.stopReading();
  }

  /** Who asks no more wants no PUBLISH_NAMESPACE_DONE either (draft-14 9.31). */
  cancel(): void {
    this.#request.cancel();
  }
}
