import { publishDoneCodes, requestErrorCodes, streamResetCodes } from '../codec/moqt/codes.ts';
import type { RequestUpdate } from '../codec/moqt/control/request-update.ts';
import type { Subscribe } from '../codec/moqt/control/subscribe.ts';
import type { GroupOrder, Location, SubscriptionFilter, TrackName } from '../codec/moqt/model.ts';
import { protocolViolation } from '../codec/moqt/moqt-error.ts';
import { emptyBytes } from '../core/bytes.ts';
import { deferred } from '../core/deferred.ts';
import { StreamsError } from '../core/errors.ts';
import type { SessionContext, SessionMember } from './context.ts';
import { followRequest } from './follow-request.ts';
import type { MessageStream } from './message-stream.ts';
import { TrackPublication } from './publication.ts';
import type { IncomingSubscribe, Publication } from './types.ts';

const defaultPriority = 128;

/** Keeps the rules that reach over one request: an alias and a track each belong to one. */
export interface SubscribeOwner {
  /** Throws INVALID_ARGUMENT when the alias is taken. */
  claimAlias(alias: number, request: SubscribeRequest): void;
  release(request: SubscribeRequest): void;
}

/** One SUBSCRIBE of the peer, from its arrival until it is refused, cancelled or done. */
export class SubscribeRequest implements IncomingSubscribe, SessionMember {
  readonly requestId: number;
  readonly track: TrackName;
  readonly filter: SubscriptionFilter;
  priority: number;
  readonly groupOrder: GroupOrder | undefined;
  readonly forward: boolean;
  readonly rendezvousMs: number;
  readonly #context: SessionContext;
  readonly #owner: SubscribeOwner;
  readonly #stream: MessageStream;
  readonly #cancelled = deferred<void>();
  readonly #answered = deferred<void>();
  #joiningLocation: Location | undefined;
  /** Updates granted before the answer; their REQUEST_OKs go after it. */
  #owedOks = 0;
  #state: { name: 'pending' } | { name: 'accepted'; publication: TrackPublication } | { name: 'over' } = {
    name: 'pending',
  };

  constructor(context: SessionContext, owner: SubscribeOwner, stream: MessageStream, message: Subscribe) {
    const { parameters } = message;
    this.requestId = message.requestId;
    this.track = message.track;
    this.filter = parameters.subscriptionFilter ?? { type: 'unfiltered' };
    this.priority = parameters.subscriberPriority ?? defaultPriority;
    this.groupOrder = parameters.groupOrder;
    this.forward = parameters.forward ?? true;
    this.rendezvousMs = parameters.rendezvousTimeoutMs ?? 0;
    this.#context = context;
    this.#owner = owner;
    this.#stream = stream;
    context.live.add(this);
  }

  get cancelled(): Promise<void> {
    return this.#cancelled.promise;
  }

  /** Resolves when it was accepted, refused or cancelled. */
  get answered(): Promise<void> {
    return this.#answered.promise;
  }
  get established(): boolean {
    return this.#state.name === 'accepted';
  }
  /** Where a joining fetch ends (draft-18 5.1); undefined: nothing was published before. */
  get joiningLocation(): Location | undefined {
    return this.#joiningLocation;
  }

  accept(answer: { alias: number; largest?: Location; trackProperties?: Uint8Array }): Publication {
    if (this.#state.name === 'accepted') throw new StreamsError('INTERNAL', 'a request is answered once');
    const publication = new TrackPublication(this.#context, {
      alias: answer.alias,
      groupOrder: this.groupOrder ?? 'ascending',
      subscriberPriority: this.priority,
      stream: this.#stream,
      cancelled: this.cancelled,
      ended: () => this.#end(),
    });
    if (this.#state.name === 'over') {
      publication.cancel();
      return publication;
    }
    this.#owner.claimAlias(answer.alias, this);
    this.#state = { name: 'accepted', publication };
    this.#joiningLocation = answer.largest;
    this.#answered.resolve();
    this.#stream.send({
      type: 'subscribeOk',
      trackAlias: answer.alias,
      parameters: answer.largest === undefined ? {} : { largestObject: answer.largest },
      trackProperties: answer.trackProperties ?? emptyBytes,
    });
    for (; this.#owedOks > 0; this.#owedOks--) this.#sendUpdateOk();
    return publication;
  }

  reject(code: number, reason: string, retryMs?: number): void {
    if (this.#state.name === 'over') return;
    if (this.#state.name === 'accepted') throw new StreamsError('INTERNAL', 'a request is answered once');
    this.#stream.send({ type: 'requestError', code, reason, ...(retryMs !== undefined && { retryMs }) });
    this.#stream.finish();
    this.#end();
  }

  follow(): Promise<void> {
    return followRequest(this.#context, this.#stream, {
      message: (message) => {
        if (message.type === 'requestUpdate') this.#update(message);
        else if (message.type !== 'goaway') throw protocolViolation(`${message.type} on a SUBSCRIBE stream`);
      },
      cancelled: () => this.#cancel(),
      finished: () => this.#cancel(),
    });
  }

  sessionEnded(): void {
    this.#cancel();
  }

  #cancel(): void {
    if (this.#state.name === 'over') return;
    this.#stream.cancel(streamResetCodes.cancelled);
    if (this.#state.name === 'accepted') this.#state.publication.cancel();
    this.#end();
    this.#cancelled.resolve();
  }

  /** draft-18 10.9: priority is applied; what would change the objects sent is refused, and that ends the subscription. */
  #update(message: RequestUpdate): void {
    this.#context.requestIds.receive(message.requestId);
    if (this.#state.name === 'over') return;
    const { forward, subscriptionFilter, subscriberPriority } = message.parameters;
    if ((forward !== undefined && forward !== this.forward) || subscriptionFilter !== undefined) {
      this.#refuseUpdate('forward and filter stay as subscribed');
      return;
    }
    this.priority = subscriberPriority ?? this.priority;
    if (this.#state.name === 'pending') {
      this.#owedOks++;
      return;
    }
    this.#state.publication.setSubscriberPriority(this.priority);
    this.#sendUpdateOk();
  }

  #refuseUpdate(reason: string): void {
    if (this.#state.name === 'accepted') {
      const { publication } = this.#state;
      this.#stream.send({ type: 'requestError', code: requestErrorCodes.notSupported, reason });
      publication.cancelStreams();
      publication.done(publishDoneCodes.updateFailed, reason);
    } else this.reject(requestErrorCodes.notSupported, reason);
    this.#cancelled.resolve();
  }

  #sendUpdateOk(): void {
    this.#stream.send({ type: 'requestOk', parameters: {}, trackProperties: emptyBytes });
  }

  #end(): void {
    this.#state = { name: 'over' };
    this.#answered.resolve();
    this.#context.live.delete(this);
    this.#owner.release(this);
  }
}
