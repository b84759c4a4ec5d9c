import { requestErrorCodes } from '../codec/moqt/codes.ts';
import type { Fetch } from '../codec/moqt/control/fetch.ts';
import type { Subscribe } from '../codec/moqt/control/subscribe.ts';
import type { MessageParameters } from '../codec/moqt/parameters.ts';
import { StreamsError } from '../core/errors.ts';
import type { SessionContext } from './context.ts';
import { fillFetch, fillRange, silentStream } from './fill.ts';
import { FetchRequest, fetchRefusals, type ResolvedFetch } from './incoming-fetch.ts';
import type { Subscribed, SubscribeOwner } from './incoming-subscribe.ts';
import { SubscribeRequest } from './incoming-subscribe.ts';
import type { MessageStream } from './message-stream.ts';
import { OfferedTrack } from './outgoing-publish.ts';
import { resolveRelative } from './relative-fetch.ts';
import { trackKey } from './track-key.ts';
import type { Publication, PublishOffer, Refusal, TrackName } from './types.ts';

/** The peer's subscriptions in one session. */
export class Publisher implements SubscribeOwner {
  readonly #context: SessionContext;
  /** Several of a track where the version has that; these may share an alias. */
  readonly #byTrack = new Map<string, Set<Subscribed>>();
  readonly #byAlias = new Map<number, Set<Subscribed>>();
  readonly #aliases = new Map<Subscribed, number>();
  /** Pending and established, for joining fetches. */
  readonly #byRequestId = new Map<number, SubscribeRequest | OfferedTrack>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  async onSubscribe(stream: MessageStream, message: Subscribe): Promise<void> {
    const request = new SubscribeRequest(this.#context, this, stream, message);
    const following = request.follow();
    const handler = this.#context.handlers().subscribe;
    const key = trackKey(request.track);
    const isDuplicate = this.#context.dialect.concurrentSubscriptions !== true && this.#byTrack.has(key);
    const refused = handler === undefined ? notSupported : isDuplicate ? duplicate : undefined;
    if (refused !== undefined) request.reject(refused.code, refused.reason);
    else {
      this.#add(key, request);
      handler!(request);
      if (message.parameters.fill !== undefined) void this.#fill(request, message.parameters.fill);
    }
    await following;
  }

  async onFetch(stream: MessageStream, message: Fetch): Promise<void> {
    const request = new FetchRequest(this.#context, stream, message);
    const following = request.follow();
    const handler = this.#context.handlers().fetch;
    const resolved = handler === undefined ? fetchRefusals.notSupported : await this.#resolve(message, request);
    if ('code' in resolved) request.reject(resolved.code, resolved.reason);
    else if (!request.over) {
      request.resolve(resolved);
      handler!(request);
    }
    await following;
  }

  /** Served like a fetch, once the subscription is answered. */
  async #fill(subscription: SubscribeRequest, parameters: MessageParameters): Promise<void> {
    await subscription.answered;
    const largest = subscription.joiningLocation;
    const handler = this.#context.handlers().fetch;
    if (largest === undefined || handler === undefined) return;
    const range = fillRange(parameters, subscription.filter, subscription.track, largest);
    if (range === undefined) return;
    const fill = new FetchRequest(
      this.#context,
      silentStream(),
      fillFetch(subscription.requestId, range, parameters, subscription.terms),
    );
    fill.resolve(range);
    void subscription.cancelled.then(() => fill.sessionEnded());
    handler(fill);
  }

  /** draft-18 10.12.2: a joining fetch waits until its subscription is answered. */
  async #resolve({ range, parameters }: Fetch, request: FetchRequest): Promise<ResolvedFetch | Refusal> {
    if (range.kind === 'standalone' && parameters.locationFilter?.kind === 'relative') {
      return resolveRelative(
        request,
        range.track,
        parameters.locationFilter.groups,
        this.#context.handlers().trackStatus,
      );
    }
    if (range.kind === 'standalone') return endsFirst(range) ? fetchRefusals.endsFirst : range;
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
    if (this.#byTrack.has(key)) throw new StreamsError('CONFLICT', `the peer is already subscribed to ${track.name}`);
    const offered = new OfferedTrack(this.#context, this, track, offer);
    this.#add(key, offered);
    return offered.accepted();
  }

  /** Throws INVALID_ARGUMENT when a live publication of another track has it, or of this one where the version has one only. */
  claimAlias(alias: number, request: Subscribed): void {
    const [other] = this.#byAlias.get(alias) ?? [];
    const { concurrentSubscriptions = false } = this.#context.dialect;
    if (other !== undefined && !(concurrentSubscriptions && trackKey(other.track) === trackKey(request.track)))
      throw new StreamsError('INVALID_ARGUMENT', `track alias ${alias} is in use`);
    addTo(this.#byAlias, alias, request);
    this.#aliases.set(request, alias);
  }

  release(request: Subscribed): void {
    removeFrom(this.#byTrack, trackKey(request.track), request);
    // A refused one may have the id of nobody.
    if (this.#byRequestId.get(request.requestId) === request) this.#byRequestId.delete(request.requestId);
    const alias = this.#aliases.get(request);
    if (alias === undefined) return;
    this.#aliases.delete(request);
    removeFrom(this.#byAlias, alias, request);
  }

  #add(key: string, request: SubscribeRequest | OfferedTrack): void {
    addTo(this.#byTrack, key, request);
    this.#byRequestId.set(request.requestId, request);
  }
}

function addTo<K>(map: Map<K, Set<Subscribed>>, key: K, request: Subscribed): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([request]));
  else set.add(request);
}

function removeFrom<K>(map: Map<K, Set<Subscribed>>, key: K, request: Subscribed): void {
  const set = map.get(key);
  if (set?.delete(request) && set.size === 0) map.delete(key);
}

/** Object 0 of an end is the whole group, else one behind the last. */
function endsFirst({ start, end }: ResolvedFetch): boolean {
  return end.group < start.group || (end.group === start.group && end.object !== 0 && end.object <= start.object);
}

const notSupported = { code: requestErrorCodes.notSupported, reason: 'nothing is published here' };
const duplicate = { code: requestErrorCodes.duplicateSubscription, reason: 'already subscribed' };
