import { requestErrorCodes, streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { Fetch, FetchRange } from '../../../codec/moqt/control/fetch.ts';
import type { Subscribe } from '../../../codec/moqt/control/subscribe.ts';
import type { Location } from '../../../codec/moqt/model.ts';
import { StreamsError } from '../../../core/errors.ts';
import { transportPriorities } from '../../../core/send-order.ts';
import { wireResetCode } from '../../reset-codes.ts';
import { trackKey } from '../../track-key.ts';
import type { Publication, PublishOffer, Refusal, TrackName } from '../../types.ts';
import type { SessionContext } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { type AskedFill, type FilledSubscription, fillFetch, fillRange, fillStream } from './fill.ts';
import { FetchRequest, fetchRefusals, type ResolvedFetch } from './incoming-fetch.ts';
import type { Subscribed, SubscribeOwner } from './incoming-subscribe.ts';
import { SubscribeRequest } from './incoming-subscribe.ts';
import { OutgoingPublish } from './outgoing-publish.ts';
import { resolveRelative } from './relative-fetch.ts';

type JoiningRange = Exclude<FetchRange, { readonly kind: 'standalone' }>;

/** The peer's subscriptions in one session. */
export class Publisher implements SubscribeOwner {
  readonly #context: SessionContext;
  /** How many there are of a track: several where the version has that, which may share an alias. */
  readonly #ofTrack = new Map<string, number>();
  readonly #ofAlias = new Map<number, { readonly key: string; readonly count: number }>();
  /** Pending and established, for joining fetches. */
  readonly #byRequestId = new Map<number, SubscribeRequest | OutgoingPublish>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  onSubscribe(stream: MessageStream, message: Subscribe): void {
    const request = new SubscribeRequest(this.#context, this, stream, message);
    const handler = this.#context.handlers().subscribe;
    const key = trackKey(request.track);
    const isDuplicate = this.#context.dialect.concurrentSubscriptions !== true && this.#ofTrack.has(key);
    const refused = handler === undefined ? notSupported : isDuplicate ? duplicate : undefined;
    if (refused !== undefined) request.reject(refused.code, refused.reason);
    else {
      this.#add(key, request);
      this.#context.guard(() => handler!(request));
    }
    request.follow();
  }

  onFetch(stream: MessageStream, message: Fetch): void {
    const request = new FetchRequest(this.#context, stream, message);
    const handler = this.#context.handlers().fetch;
    const answer = (resolved: ResolvedFetch | Refusal): void => {
      if ('code' in resolved) request.reject(resolved.code, resolved.reason);
      else if (!request.over) {
        request.resolve(resolved);
        this.#context.guard(() => handler!(request));
      }
    };
    const resolved = handler === undefined ? fetchRefusals.notSupported : this.#resolve(message, request);
    if (resolved instanceof Promise) this.#context.guard(() => resolved.then(answer));
    else answer(resolved);
    request.follow();
  }

  /** Served like a fetch. */
  fill({ track, terms, tokens, cancelled }: FilledSubscription, asked: AskedFill, largest: Location): void {
    const range = fillRange(asked.parameters, terms.filter, track, largest);
    if (range === undefined) return;
    const refused = fillStream(() => this.#refuseFill(asked.requestId));
    const fill = new FetchRequest(this.#context, refused, fillFetch(asked, range, terms), tokens);
    fill.resolve(range);
    void cancelled.then(() => fill.sessionEnded());
    const handler = this.#context.handlers().fetch;
    if (handler === undefined) fill.reject(fetchRefusals.notSupported.code, fetchRefusals.notSupported.reason);
    else this.#context.guard(() => handler(fill));
  }

  /** draft-20 5.1.4.1: a fill that fails is a stream that is reset. */
  #refuseFill(requestId: number): void {
    const { dialect, transport } = this.#context;
    const stream = transport.openUni({
      priority: transportPriorities.last,
      head: dialect.encodeFetchHeader(requestId),
    });
    stream.reset(wireResetCode(dialect, streamResetCodes.internalError));
  }

  #resolve(
    { range, parameters }: Fetch,
    request: FetchRequest,
  ): ResolvedFetch | Refusal | Promise<ResolvedFetch | Refusal> {
    if (range.kind !== 'standalone') return this.#resolveJoining(range, request);
    if (parameters.locationFilter?.kind === 'relative') {
      const { trackStatus } = this.#context.handlers();
      return resolveRelative(this.#context, request, range.track, parameters.locationFilter.groups, trackStatus);
    }
    return endsFirst(range) ? fetchRefusals.endsFirst : range;
  }

  /** draft-18 10.12.2: a joining fetch waits until its subscription is answered. */
  async #resolveJoining(range: JoiningRange, request: FetchRequest): Promise<ResolvedFetch | Refusal> {
    const subscription = this.#byRequestId.get(range.joiningRequestId);
    if (subscription === undefined) return fetchRefusals.joining;
    await Promise.race([subscription.answered, request.cancelled]);
    if (!subscription.established) return fetchRefusals.joining;
    if (!subscription.forward) return fetchRefusals.notForwarded;
    const joining = subscription.joiningLocation;
    if (joining === undefined) return fetchRefusals.nothingPublished;
    const first = range.kind === 'relativeJoining' ? Math.max(0, joining.group - range.start) : range.start;
    if (first > joining.group) return fetchRefusals.endsFirst;
    const end = { group: joining.group, object: joining.object + 1 };
    return { track: subscription.track, start: { group: first, object: 0 }, end };
  }

  /** Offers a track with PUBLISH. Throws CONFLICT when the peer has it already. */
  async publish(track: TrackName, offer: PublishOffer): Promise<Publication> {
    if (!this.#context.isOpen()) throw new StreamsError('TRANSPORT_CLOSED', 'the session is closed');
    const key = trackKey(track);
    if (this.#ofTrack.has(key)) throw new StreamsError('CONFLICT', `the peer is already subscribed to ${track.name}`);
    const offered = new OutgoingPublish(this.#context, this, track, offer);
    this.#add(key, offered);
    return offered.accepted();
  }

  /** Throws INVALID_ARGUMENT when a live publication of another track has it, or of this one where the version has one only. */
  claimAlias(alias: number, request: Subscribed): void {
    const other = this.#ofAlias.get(alias);
    const key = trackKey(request.track);
    if (other !== undefined && (other.key !== key || this.#context.dialect.concurrentSubscriptions !== true))
      throw new StreamsError('INVALID_ARGUMENT', `track alias ${alias} is in use`);
    this.#ofAlias.set(alias, { key, count: (other?.count ?? 0) + 1 });
  }

  /** Of a request that was refused at once there is nothing. */
  release(request: Subscribed, alias: number | undefined): void {
    if (this.#byRequestId.get(request.requestId) !== request) return;
    this.#byRequestId.delete(request.requestId);
    const key = trackKey(request.track);
    const left = this.#ofTrack.get(key)! - 1;
    if (left > 0) this.#ofTrack.set(key, left);
    else this.#ofTrack.delete(key);
    if (alias !== undefined) this.giveBackAlias(alias);
  }

  giveBackAlias(alias: number): void {
    const claimed = this.#ofAlias.get(alias);
    if (claimed === undefined) return;
    const { key, count } = claimed;
    if (count > 1) this.#ofAlias.set(alias, { key, count: count - 1 });
    else this.#ofAlias.delete(alias);
  }

  #add(key: string, request: SubscribeRequest | OutgoingPublish): void {
    this.#ofTrack.set(key, (this.#ofTrack.get(key) ?? 0) + 1);
    this.#byRequestId.set(request.requestId, request);
  }
}

/** Object 0 of an end is the whole group, else one behind the last. */
function endsFirst({ start, end }: ResolvedFetch): boolean {
  return end.group < start.group || (end.group === start.group && end.object !== 0 && end.object <= start.object);
}

const notSupported = { code: requestErrorCodes.notSupported, reason: 'nothing is published here' };
const duplicate = { code: requestErrorCodes.duplicateSubscription, reason: 'already subscribed' };
