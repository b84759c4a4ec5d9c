import { publishDoneCodes, requestErrorCodes, streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { RequestUpdate } from '../../../codec/moqt/control/request-update.ts';
import type { Subscribe } from '../../../codec/moqt/control/subscribe.ts';
import type { AuthToken } from '../../../codec/moqt/fields/auth-token.ts';
import type { GroupOrder, Location, SubscriptionFilter, TrackName } from '../../../codec/moqt/model.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { emptyBytes } from '../../../core/bytes.ts';
import { deferred, Latch } from '../../../core/deferred.ts';
import { StreamsError } from '../../../core/errors.ts';
import { type SubscriptionTerms, termsWith } from '../../terms.ts';
import type { IncomingSubscribe, Publication, SubscribeAnswer } from '../../types.ts';
import type { SessionContext, SessionMember } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { followRequest, takeUpdate } from '../requests/follow-request.ts';
import { refusedUpdate } from '../requests/refused-filter.ts';
import type { AskedFill, FilledSubscription } from './fill.ts';
import { TrackPublication } from './publication.ts';

/** Of the peer, or offered to it. */
export type Subscribed = { readonly requestId: number; readonly track: TrackName };

/** Keeps the rules that reach over one request: an alias and a track each belong to one. */
export interface SubscribeOwner {
  /** Throws INVALID_ARGUMENT when the alias is taken. */
  claimAlias(alias: number, request: Subscribed): void;
  /** What was claimed last is not used after all. */
  giveBackAlias(alias: number): void;
  /** `alias`: the one it has claimed. */
  release(request: Subscribed, alias: number | undefined): void;
  /** What was asked for with FILL_PARAMETERS, up to `largest`. */
  fill(subscription: FilledSubscription, asked: AskedFill, largest: Location): void;
}

/** One SUBSCRIBE of the peer, from its arrival until it is refused, cancelled or done. */
export class SubscribeRequest implements IncomingSubscribe, SessionMember {
  readonly requestId: number;
  readonly subscribeId?: number;
  readonly track: TrackName;
  readonly rendezvousMs: number;
  readonly tokens: readonly AuthToken[];
  readonly #context: SessionContext;
  readonly #owner: SubscribeOwner;
  readonly #stream: MessageStream;
  readonly #cancelled = deferred<void>();
  readonly #answered = new Latch();
  readonly #over = new Latch();
  /** Asked for before the answer, while it was to forward. */
  #owedFills: AskedFill[] | undefined;
  #terms: SubscriptionTerms;
  /** Updates granted before the answer; their REQUEST_OKs go after it. */
  #owedOks = 0;
  #state: { name: 'pending' } | { name: 'accepted'; publication: TrackPublication } | { name: 'over' } = {
    name: 'pending',
  };

  constructor(context: SessionContext, owner: SubscribeOwner, stream: MessageStream, message: Subscribe) {
    const { parameters } = message;
    this.requestId = message.requestId;
    if (context.dialect.concurrentSubscriptions) this.subscribeId = message.requestId;
    this.track = message.track;
    this.#terms = termsWith(parameters);
    this.rendezvousMs = parameters.rendezvousTimeoutMs ?? 0;
    this.tokens = context.authTokens.ofRequest(parameters.authorizationTokens);
    this.#context = context;
    this.#owner = owner;
    this.#stream = stream;
    this.#oweFill(message);
    context.live.add(this);
  }

  get terms(): SubscriptionTerms {
    return this.#state.name === 'accepted' ? this.#state.publication.terms : this.#terms;
  }
  get filter(): SubscriptionFilter {
    return this.terms.filter;
  }
  get outlivesRange(): boolean {
    return this.#context.dialect.outlivesRange === true;
  }
  get priority(): number {
    return this.terms.priority;
  }
  get groupOrder(): GroupOrder | undefined {
    return this.terms.groupOrder;
  }
  get forward(): boolean {
    return this.terms.forward;
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
    return this.#state.name === 'accepted' ? this.#state.publication.joiningLocation : undefined;
  }

  /** Throws INVALID_ARGUMENT for an answer that cannot be said: it is to be refused then. */
  accept(answer: SubscribeAnswer): Publication {
    if (this.#state.name === 'accepted') throw new StreamsError('INTERNAL', 'a request is answered once');
    const { alias, largest, expiresMs, trackProperties = emptyBytes } = answer;
    const publication = new TrackPublication(this.#context, {
      alias,
      terms: this.#terms,
      defaultGroupOrder: this.#context.dialect.readTrackProperties(trackProperties).defaultGroupOrder,
      largest,
      fill: (asked, largest) => this.#owner.fill(this, asked, largest),
      stream: this.#stream,
      cancelled: this.cancelled,
      ended: () => this.#end(),
      refused: () => this.#cancelled.resolve(),
    });
    if (this.#state.name === 'over') {
      publication.cancel();
      return publication;
    }
    this.#owner.claimAlias(alias, this);
    const parameters = {
      ...(largest !== undefined && { largestObject: largest }),
      ...(expiresMs !== undefined && { expiresMs }),
    };
    try {
      this.#stream.send({ type: 'subscribeOk', trackAlias: alias, parameters, trackProperties });
    } catch (error) {
      // Nothing was sent: it can still be refused.
      this.#owner.giveBackAlias(alias);
      throw error;
    }
    // A peer that does not read is given up while it is written to.
    if (this.#isOver) {
      this.#owner.giveBackAlias(alias);
      publication.cancel();
      return publication;
    }
    this.#state = { name: 'accepted', publication };
    this.#answered.resolve();
    for (; this.#owedOks > 0; this.#owedOks--) {
      this.#stream.send({ type: 'requestOk', parameters, trackProperties: emptyBytes });
    }
    for (const asked of this.#owedFills ?? []) publication.fill(asked, largest);
    return publication;
  }

  reject(code: number, reason: string, retryMs?: number): void {
    if (this.#state.name === 'over') return;
    if (this.#state.name === 'accepted') throw new StreamsError('INTERNAL', 'a request is answered once');
    this.#stream.send({ type: 'requestError', code, reason, ...(retryMs !== undefined && { retryMs }) });
    this.#stream.finish();
    this.#end();
  }

  get #isOver(): boolean {
    return this.#state.name === 'over';
  }

  get over(): Promise<void> {
    return this.#over.promise;
  }

  revoke(reason: string): void {
    if (this.#state.name === 'accepted') {
      this.#state.publication.end(publishDoneCodes.unauthorized, reason);
      this.#cancelled.resolve();
    } else if (this.#state.name === 'pending') {
      this.reject(requestErrorCodes.expiredAuthToken, reason);
      this.#cancelled.resolve();
    }
  }

  follow(): void {
    followRequest(this.#context, this.#stream, {
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

  /** draft-18 10.9: before the answer, it is as if it had been asked so from the start. */
  #update(message: RequestUpdate): void {
    takeUpdate(this.#context, message);
    if (this.#state.name === 'accepted') this.#state.publication.update(message);
    if (this.#state.name !== 'pending') return;
    const refused = refusedUpdate(message.parameters, this.#terms.rangeFilters);
    if (refused !== undefined) {
      this.reject(refused.code, refused.reason);
      this.#cancelled.resolve();
      return;
    }
    this.#terms = termsWith(message.parameters, this.#terms);
    this.#oweFill(message);
    this.#owedOks++;
  }

  #oweFill({ requestId, parameters }: Subscribe | RequestUpdate): void {
    if (parameters.fill === undefined || !this.#terms.forward) return;
    this.#owedFills ??= [];
    this.#owedFills.push({ requestId, parameters: parameters.fill });
  }

  #end(): void {
    const alias = this.#state.name === 'accepted' ? this.#state.publication.alias : undefined;
    this.#state = { name: 'over' };
    this.#over.resolve();
    this.#answered.resolve();
    this.#context.live.delete(this);
    this.#owner.release(this, alias);
  }
}
