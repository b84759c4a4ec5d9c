import { publishDoneCodes, requestErrorCodes, streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { Message, Request } from '../../../codec/moqt/message.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { emptyBytes } from '../../../core/bytes.ts';
import { type Deferred, deferred } from '../../../core/deferred.ts';
import { StreamsError } from '../../../core/errors.ts';
import { StreamResetError } from '../../../transport/stream-reset-error.ts';
import type { MessageStream } from '../message-stream.ts';
import { FullUpdateTerms } from './full-update-terms.ts';

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
  readonly type: Request['type'];
  /** The namespace or prefix it is about, which some messages name instead of the request (draft-14). */
  readonly subject: readonly string[] | undefined;
  readonly #ours: boolean;
  /** Where updates say everything and are not answered (draft-14). */
  readonly #terms: FullUpdateTerms | undefined;
  readonly #owner: SharedRequestOwner;
  readonly #queue: Message[] = [];
  readonly #stopped = deferred<number | null>();
  /** Updates of the peer that we have not answered, in their order. */
  readonly #updates: number[] = [];
  /** Namespaces told before the answer to our SUBSCRIBE_NAMESPACE. */
  readonly #early: Message[] = [];
  #waiting: Deferred<Message | null> | undefined;
  #answered = false;
  #state: 'open' | 'over' | 'cancelledByPeer' | 'lost' = 'open';
  #reading = true;

  /** `opening` is sent, or delivered, by the owner. */
  constructor(owner: SharedRequestOwner, opening: Request, ours: boolean, options: { wholeUpdates: boolean }) {
    this.#owner = owner;
    this.requestId = opening.requestId;
    this.type = opening.type;
    this.subject = 'namespace' in opening ? opening.namespace : 'prefix' in opening ? opening.prefix : undefined;
    this.#ours = ours;
    if (options.wholeUpdates) {
      this.#terms = new FullUpdateTerms();
      this.#terms.begin(opening.parameters);
      this.#terms.told(opening.parameters.largestObject);
    }
  }

  /** An open SUBSCRIBE_NAMESPACE of ours. */
  get isOurPrefix(): boolean {
    return this.#ours && (this.type === 'subscribeNamespace' || this.type === 'subscribeTracks');
  }
  get isOurs(): boolean {
    return this.#ours;
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
        this.#update(message);
        return;
      case 'publishDone':
        this.#owner.sendOn(this, { ...message, requestId });
        this.#end('over');
        return;
      case 'subscribeOk':
      case 'fetchOk':
        this.#owner.sendOn(this, { ...message, requestId });
        this.#answered = true;
        this.#terms?.told(message.parameters.largestObject);
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
    if (message.type === 'requestUpdate') {
      this.#receiveUpdate(message);
      return;
    }
    const isAnswer = this.#ours && !this.#answered;
    if (isAnswer && (message.type === 'namespace' || message.type === 'namespaceDone')) {
      this.#early.push(message);
      return;
    }
    if (isAnswer) this.#noteAnswer(message);
    this.#deliver(message);
    if (isAnswer && message.type === 'requestOk') for (const early of this.#early.splice(0)) this.#deliver(early);
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

  #update(message: Message & { type: 'requestUpdate' }): void {
    const { parameters } = message;
    const whole = this.#terms?.complete(parameters);
    this.#owner.sendUpdate(this, { ...message, existingRequestId: this.requestId, parameters: whole ?? parameters });
    // Nothing will tell: it always succeeds (draft-14 9.10).
    if (whole !== undefined) this.#deliver({ type: 'requestOk', parameters: {}, trackProperties: emptyBytes });
  }

  #receiveUpdate(message: Message & { type: 'requestUpdate' }): void {
    if (this.#terms === undefined) {
      this.#updates.push(message.requestId);
      this.#deliver(message);
    } else this.#deliver({ ...message, parameters: this.#terms.changes(message.parameters) });
  }

  #noteAnswer(message: Message): void {
    this.#answered = true;
    if (message.type === 'subscribeOk') this.#terms?.told(message.parameters.largestObject);
    if (message.type === 'requestOk' && this.type === 'publish') this.#terms?.begin(message.parameters);
  }

  #answer(message: Message & { type: 'requestOk' | 'requestError' }): void {
    if (this.#answered || this.#ours) {
      if (this.#terms !== undefined) return;
      const requestId = this.#updates.shift();
      if (requestId === undefined) throw new StreamsError('INTERNAL', `${message.type} without an update`);
      this.#owner.sendOn(this, { ...message, requestId });
      return;
    }
    const { requestId } = this;
    if (message.type === 'requestOk' && this.type === 'publish') {
      // One that says nothing of it leaves forwarding as PUBLISH had it; where it has to say something, it says that.
      const parameters = { ...this.#terms?.forwarding, ...message.parameters };
      this.#owner.sendOn(this, { type: 'publishOk', requestId, parameters });
      this.#answered = true;
      this.#terms?.begin(parameters);
      return;
    }
    this.#owner.sendOn(this, { ...message, requestId, request: this.type });
    this.#answered = true;
    if (message.type === 'requestError' || this.type === 'trackStatus') this.#end('over');
  }

  /** What tells the peer that we give up. */
  #lastWord(): Message | undefined {
    const { requestId, type, subject = [] } = this;
    if (!this.#ours && !this.#answered) {
      const code = type === 'publish' ? requestErrorCodes.uninterested : requestErrorCodes.internalError;
      return { type: 'requestError', requestId, request: type, code, reason: 'given up' };
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
          ? { type: 'publishNamespaceDone', requestId, namespace: subject }
          : {
              type: 'publishNamespaceCancel',
              requestId,
              namespace: subject,
              code: requestErrorCodes.uninterested,
              reason: '',
            };
      case 'subscribeNamespace':
      case 'subscribeTracks':
        return this.#ours ? { type: 'unsubscribeNamespace', prefix: subject } : undefined;
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
