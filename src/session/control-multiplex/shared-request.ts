import { publishDoneCodes, requestErrorCodes, streamResetCodes } from '../../codec/moqt/codes.ts';
import type { Message, Request } from '../../codec/moqt/message.ts';
import { protocolViolation } from '../../codec/moqt/moqt-error.ts';
import { type Deferred, deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import { StreamResetError } from '../../transport/stream-reset-error.ts';
import type { MessageStream } from '../message-stream.ts';

/** What travels on the control stream itself: SUBSCRIBE_NAMESPACE has a stream of its own. */
export type SharedRequestType = Exclude<Request['type'], 'subscribeNamespace' | 'subscribeTracks'>;

export interface SharedRequestOwner {
  sendOn(request: SharedRequest, message: Message): void;
  /** An update of ours; its answer comes to `request`. */
  sendUpdate(request: SharedRequest, message: Message & { type: 'requestUpdate' }): void;
  /** Nothing more of it is said by either side. */
  over(request: SharedRequest): void;
}

/**
 * One request among those of a shared control stream, in the form of a stream of its own: what came later as a reset or STOP_SENDING
 * is UNSUBSCRIBE, FETCH_CANCEL, PUBLISH_NAMESPACE_DONE or PUBLISH_NAMESPACE_CANCEL here (draft-16 9).
 */
export class SharedRequest implements MessageStream {
  readonly requestId: number;
  readonly type: SharedRequestType;
  readonly #ours: boolean;
  readonly #owner: SharedRequestOwner;
  readonly #queue: Message[] = [];
  readonly #stopped = deferred<number | null>();
  /** Updates of the peer that we have not answered, in their order. */
  readonly #updates: number[] = [];
  #waiting: Deferred<Message | null> | undefined;
  #answered = false;
  #state: 'open' | 'over' | 'cancelledByPeer' | 'lost' = 'open';
  #reading = true;

  constructor(owner: SharedRequestOwner, requestId: number, type: SharedRequestType, ours: boolean) {
    this.#owner = owner;
    this.requestId = requestId;
    this.type = type;
    this.#ours = ours;
  }

  get stopped(): Promise<number | null> {
    return this.#stopped.promise;
  }

  next(): Promise<Message | null> {
    const message = this.#queue.shift();
    if (message !== undefined) return Promise.resolve(message);
    if (!this.#reading || this.#state === 'over') return Promise.resolve(null);
    if (this.#state === 'cancelledByPeer') return Promise.reject(new StreamResetError(streamResetCodes.cancelled));
    if (this.#state === 'lost') return Promise.reject(new StreamsError('TRANSPORT_CLOSED', 'the session is closed'));
    this.#waiting = deferred();
    return this.#waiting.promise;
  }

  send(message: Message): void {
    if (this.#state !== 'open') return;
    const { requestId } = this;
    switch (message.type) {
      case 'requestUpdate':
        this.#owner.sendUpdate(this, { ...message, existingRequestId: requestId });
        return;
      case 'publishDone':
        this.#owner.sendOn(this, { ...message, requestId });
        this.#end('over');
        return;
      case 'subscribeOk':
      case 'fetchOk':
        this.#answered = true;
        this.#owner.sendOn(this, { ...message, requestId });
        return;
      case 'requestOk':
      case 'requestError':
        this.#answer(message);
        return;
      default:
        throw new StreamsError('UNSUPPORTED', `${message.type} on a shared control stream`);
    }
  }

  finish(): void {
    // A fetch ends with its data, and the others with their last message.
    if (this.type === 'fetch' || this.type === 'trackStatus') this.#end('over');
  }

  stopReading(): void {
    this.#reading = false;
    this.#wake(null);
  }

  cancel(): void {
    const last = this.#state === 'open' ? this.#lastWord() : undefined;
    this.#reading = false;
    this.#queue.length = 0;
    if (last !== undefined) this.#owner.sendOn(this, last);
    this.#end('over');
  }

  /** A message of the peer that belongs to this request. */
  receive(message: Message): void {
    if (this.#state !== 'open') return;
    if (message.type === 'requestUpdate') this.#updates.push(message.requestId);
    this.#deliver(message);
    const isAnswer = this.#ours && !this.#answered;
    if (isAnswer) this.#answered = true;
    const isLast =
      message.type === 'publishDone' || (isAnswer && (message.type === 'requestError' || this.type === 'trackStatus'));
    if (isLast) this.#end('over');
  }

  /** The answer to an update of ours. */
  receiveUpdated(message: Message): void {
    if (message.type !== 'requestOk' && message.type !== 'requestError')
      throw protocolViolation(`${message.type} in answer to REQUEST_UPDATE`);
    if (this.#state === 'open') this.#deliver(message);
  }

  peerCancelled(): void {
    this.#end('cancelledByPeer');
  }

  lost(): void {
    this.#end('lost');
  }

  #answer(message: Message & { type: 'requestOk' | 'requestError' }): void {
    if (this.#answered || this.#ours) {
      const requestId = this.#updates.shift();
      if (requestId === undefined) throw new StreamsError('INTERNAL', `${message.type} without an update`);
      this.#owner.sendOn(this, { ...message, requestId });
      return;
    }
    const { requestId } = this;
    this.#answered = true;
    const isPublish = this.type === 'publish' && message.type === 'requestOk';
    this.#owner.sendOn(
      this,
      isPublish ? { type: 'publishOk', requestId, parameters: message.parameters } : { ...message, requestId },
    );
    if (message.type === 'requestError' || this.type === 'trackStatus') this.#end('over');
  }

  /** What tells the peer that we give up. */
  #lastWord(): Message | undefined {
    const { requestId, type } = this;
    if (!this.#ours && !this.#answered) {
      const code = type === 'publish' ? requestErrorCodes.uninterested : requestErrorCodes.internalError;
      return { type: 'requestError', requestId, code, reason: 'given up' };
    }
    switch (type) {
      case 'subscribe':
      case 'publish': {
        if (this.#ours === (type === 'subscribe')) return { type: 'unsubscribe', requestId };
        return { type: 'publishDone', requestId, status: publishDoneCodes.internalError, reason: 'given up' };
      }
      case 'fetch':
        return this.#ours ? { type: 'fetchCancel', requestId } : undefined;
      case 'publishNamespace':
        return this.#ours
          ? { type: 'publishNamespaceDone', requestId }
          : { type: 'publishNamespaceCancel', requestId, code: requestErrorCodes.uninterested, reason: '' };
      case 'trackStatus':
        return undefined;
    }
  }

  #deliver(message: Message): void {
    if (!this.#reading) return;
    if (this.#waiting === undefined) this.#queue.push(message);
    else this.#wake(message);
  }

  #wake(message: Message | null): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(message);
  }

  #end(state: 'over' | 'cancelledByPeer' | 'lost'): void {
    if (this.#state !== 'open') {
      this.#wake(null);
      return;
    }
    this.#state = state;
    this.#stopped.resolve(state === 'cancelledByPeer' ? streamResetCodes.cancelled : null);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (state === 'over' || !this.#reading) waiting?.resolve(null);
    else if (state === 'cancelledByPeer') waiting?.reject(new StreamResetError(streamResetCodes.cancelled));
    else waiting?.reject(new StreamsError('TRANSPORT_CLOSED', 'the session is closed'));
    this.#owner.over(this);
  }
}
