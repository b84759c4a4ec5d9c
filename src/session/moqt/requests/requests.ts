import { requestErrorCodes, streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { SubscribeNamespace } from '../../../codec/moqt/control/subscribe-namespace.ts';
import type { SubscribeTracks } from '../../../codec/moqt/control/subscribe-tracks.ts';
import type { Message, Request } from '../../../codec/moqt/message.ts';
import { isRequest } from '../../../codec/moqt/message.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import type { Consumer } from '../consumer.ts';
import type { SessionContext } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { NamespaceRequest } from '../namespaces/incoming-namespace.ts';
import { PrefixRegistry, PrefixRequest } from '../namespaces/incoming-prefix.ts';
import { silentStream } from '../publish/fill.ts';
import type { Publisher } from '../publish/publisher.ts';
import { refusedFilter } from './refused-filter.ts';
import { TrackStatusRequest } from './track-status.ts';

/** Requests that may wait for SETUP and authorisation (draft-18 3.3); more are reset. */
const maxEarly = 32;

/** The peer's requests: one bidirectional stream each, dispatched by its first message. */
export class Requests {
  readonly #context: SessionContext;
  readonly #publisher: Publisher;
  readonly #consumer: Consumer;
  readonly #prefixes = { subscribeNamespace: new PrefixRegistry(), subscribeTracks: new PrefixRegistry() };
  #early = 0;

  constructor(context: SessionContext, publisher: Publisher, consumer: Consumer) {
    this.#consumer = consumer;
    this.#context = context;
    this.#publisher = publisher;
  }

  take(stream: MessageStream): void {
    this.#handle(stream).catch((error) => this.#context.fail(error));
  }

  async #handle(stream: MessageStream): Promise<void> {
    if (!(await this.#ready())) {
      stream.cancel(streamResetCodes.excessiveLoad);
      return;
    }
    const message = await stream.next();
    if (message === null) {
      stream.finish();
      return;
    }
    // It came with the end of the session, or was read late: nobody would hear of its own end.
    if (!this.#context.isOpen()) {
      stream.cancel(streamResetCodes.sessionClosed);
      return;
    }
    if (!isRequest(message)) throw protocolViolation(`${message.type} first on a request stream`);
    this.#context.requestIds.receive(message.requestId);
    if (this.#context.isDraining()) return this.#refuse(stream, requestErrorCodes.goingAway, 'going away');
    const reserved = reservedNamespace(message);
    if (reserved) return this.#refuse(stream, requestErrorCodes.doesNotExist, 'reserved namespace');
    const refused = refusedFilter(message.parameters);
    if (refused !== undefined) return this.#refuse(stream, refused.code, refused.reason);
    const handlers = this.#context.handlers();
    switch (message.type) {
      case 'subscribe':
        return this.#publisher.onSubscribe(stream, message);
      case 'fetch':
        return this.#publisher.onFetch(stream, message);
      case 'publish':
        return this.#consumer.subscriber.onPublish(stream, message);
      case 'trackStatus': {
        const request = new TrackStatusRequest(this.#context, stream, message);
        if (handlers.trackStatus === undefined) request.refuse();
        else this.#context.guard(() => handlers.trackStatus!(request));
        return request.follow();
      }
      case 'publishNamespace': {
        if (handlers.publishNamespace === undefined) break;
        const request = new NamespaceRequest(this.#context, stream, message);
        this.#context.guard(() => handlers.publishNamespace!(request));
        return request.follow();
      }
      case 'subscribeNamespace':
      case 'subscribeTracks': {
        const handler = handlers[message.type];
        if (handler === undefined) break;
        const request = new PrefixRequest(this.#context, stream, message, this.#prefixes[message.type]);
        if (!request.refuseOverlap()) {
          this.#context.guard(() => handler(request));
          if (message.type === 'subscribeNamespace' && message.tracks)
            this.#context.guard(() => this.#tracksToo(request, message));
        }
        return request.follow();
      }
    }
    return this.#refuse(stream, requestErrorCodes.notSupported, `${message.type} is not supported`);
  }

  /** The other half of a request for both: no answers of its own, and over with it. */
  async #tracksToo(request: PrefixRequest, message: SubscribeNamespace): Promise<void> {
    const { subscribeTracks } = this.#context.handlers();
    if (subscribeTracks === undefined || !(await request.accepted)) return;
    const { subscribeTracks: registry } = this.#prefixes;
    const other: SubscribeTracks = { ...message, type: 'subscribeTracks' };
    const tracks = new PrefixRequest(this.#context, silentStream(), other, registry);
    if (!tracks.refuseOverlap()) this.#context.guard(() => subscribeTracks(tracks));
    void request.cancelled.then(() => tracks.sessionEnded());
  }

  /** Reads on until the peer has ended its side too, so that the stream is given back. */
  async #refuse(stream: MessageStream, code: number, reason: string): Promise<void> {
    stream.send({ type: 'requestError', code, reason });
    stream.finish();
    let message: Message | null;
    do message = await stream.next();
    while (message !== null);
  }

  async #ready(): Promise<boolean> {
    if (this.#context.isOpen()) return true;
    if (this.#early >= maxEarly) return false;
    this.#early++;
    const opened = await this.#context.opened;
    this.#early--;
    return opened;
  }
}

/** draft-18 3.2.1, 3.2.2: `.` is for nobody, and we define nothing below `.session`. */
function reservedNamespace(message: Request): boolean {
  const first = namespaceOf(message)?.[0];
  return first === '.' || first === '.session';
}

function namespaceOf(message: Request): readonly string[] | undefined {
  if ('track' in message) return message.track.namespace;
  if ('namespace' in message) return message.namespace;
  if ('prefix' in message) return message.prefix;
  return message.range.kind === 'standalone' ? message.range.track.namespace : undefined;
}
