import { requestErrorCodes } from '../codec/moqt/codes.ts';
import type { Fetch } from '../codec/moqt/control/fetch.ts';
import type { Subscribe } from '../codec/moqt/control/subscribe.ts';
import { StreamsError } from '../core/errors.ts';
import type { SessionContext } from './context.ts';
import { FetchRequest, fetchRefusals, type ResolvedFetch } from './incoming-fetch.ts';
import type { SubscribeOwner } from './incoming-subscribe.ts';
import { SubscribeRequest } from './incoming-subscribe.ts';
import type { MessageStream } from './message-stream.ts';
import { trackKey } from './track-key.ts';

/** The peer's subscriptions in one session. */
export class Publisher implements SubscribeOwner {
  readonly #context: SessionContext;
  readonly #byTrack = new Map<string, SubscribeRequest>();
  readonly #byAlias = new Map<number, SubscribeRequest>();
  /** Pending and established, for joining fetches. */
  readonly #byRequestId = new Map<number, SubscribeRequest>();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  async onSubscribe(stream: MessageStream, message: Subscribe): Promise<void> {
    const request = new SubscribeRequest(this.#context, this, stream, message);
    const following = request.follow();
    const handler = this.#context.handlers().subscribe;
    const key = trackKey(request.track);
    const refused = handler === undefined ? notSupported : this.#byTrack.has(key) ? duplicate : undefined;
    if (refused !== undefined) request.reject(refused.code, refused.reason);
    else {
      this.#byTrack.set(key, request);
      this.#byRequestId.set(message.requestId, request);
      handler!(request);
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

  /** draft-18 10.12.2: a joining fetch waits until its subscription is answered. */
  async #resolve({ range }: Fetch, request: FetchRequest): Promise<ResolvedFetch | Refusal> {
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

  /** Throws INVALID_ARGUMENT when a live publication of this session has it. */
  claimAlias(alias: number, request: SubscribeRequest): void {
    if (this.#byAlias.has(alias)) throw new StreamsError('INVALID_ARGUMENT', `track alias ${alias} is in use`);
    this.#byAlias.set(alias, request);
  }

  release(request: SubscribeRequest): void {
    const key = trackKey(request.track);
    if (this.#byTrack.get(key) === request) this.#byTrack.delete(key);
    if (this.#byRequestId.get(request.requestId) === request) this.#byRequestId.delete(request.requestId);
    for (const [alias, owner] of this.#byAlias) if (owner === request) this.#byAlias.delete(alias);
  }
}

type Refusal = { readonly code: number; readonly reason: string };

/** Object 0 of an end is the whole group, else one behind the last. */
function endsFirst({ start, end }: ResolvedFetch): boolean {
  return end.group < start.group || (end.group === start.group && end.object !== 0 && end.object <= start.object);
}

const notSupported = { code: requestErrorCodes.notSupported, reason: 'nothing is published here' };
const duplicate = { code: requestErrorCodes.duplicateSubscription, reason: 'already subscribed' };
