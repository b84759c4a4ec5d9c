import { publishDoneCodes, requestErrorCodes, streamResetCodes } from '../../codec/moqt/codes.ts';
import { resetCodeOf } from '../../codec/moqt/lite/codes.ts';
import { type Subscribe, subscribeUpdate } from '../../codec/moqt/lite/subscribe.ts';
import { encodeSubscribeResponse } from '../../codec/moqt/lite/subscribe-response.ts';
import { trackInfoOf } from '../../codec/moqt/lite/timestamp.ts';
import { hasTrackInfo } from '../../codec/moqt/lite/version.ts';
import type { GroupOrder, SubscriptionFilter, TrackName } from '../../codec/moqt/model.ts';
import { deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import type { SessionMember } from '../moqt/context.ts';
import type { SubscriptionTerms } from '../terms.ts';
import type { IncomingSubscribe, Publication, SubscribeAnswer } from '../types.ts';
import type { LiteContext } from './context.ts';
import { LitePublication } from './lite-publication.ts';
import type { LiteStream } from './lite-stream.ts';
import { termsOf } from './lite-terms.ts';

/** One SUBSCRIBE of the peer, from its arrival until it is refused, cancelled or done. */
export class LiteSubscribeRequest implements IncomingSubscribe, SessionMember {
  readonly subscribeId: number;
  readonly track: TrackName;
  readonly tokens = [];
  readonly rendezvousMs = 0;
  readonly forward = true;
  readonly #context: LiteContext;
  readonly #stream: LiteStream;
  readonly #cancelled = deferred<void>();
  readonly #over = deferred<void>();
  #terms: SubscriptionTerms;
  #state: { name: 'pending' } | { name: 'accepted'; publication: LitePublication } | { name: 'over' } = {
    name: 'pending',
  };

  constructor(context: LiteContext, stream: LiteStream, message: Subscribe) {
    this.subscribeId = message.id;
    this.track = { namespace: message.namespace, name: message.name };
    this.#terms = termsOf(message);
    this.#context = context;
    this.#stream = stream;
    context.live.add(this);
  }

  get terms(): SubscriptionTerms {
    return this.#state.name === 'accepted' ? this.#state.publication.terms : this.#terms;
  }
  get filter(): SubscriptionFilter {
    return this.terms.filter;
  }
  get priority(): number {
    return this.terms.priority;
  }
  get groupOrder(): GroupOrder | undefined {
    return this.terms.groupOrder;
  }
  get cancelled(): Promise<void> {
    return this.#cancelled.promise;
  }
  get over(): Promise<void> {
    return this.#over.promise;
  }

  accept({ alias, largest, trackProperties }: SubscribeAnswer): Publication {
    if (this.#state.name === 'accepted') throw new StreamsError('INTERNAL', 'a request is answered once');
    const publication = new LitePublication(this.#context, {
      alias,
      subscribeId: this.subscribeId,
      terms: this.#terms,
      stream: this.#stream,
      cancelled: this.cancelled,
      ended: () => this.#end(),
      refused: () => this.#cancelled.resolve(),
    });
    if (this.#state.name === 'over') {
      publication.cancel();
      return publication;
    }
    const { version } = this.#context;
    if (hasTrackInfo(version)) {
      this.#state = { name: 'accepted', publication };
      return publication;
    }
    const { priority, ordered, maxLatencyMs } = trackInfoOf(trackProperties);
    const groupStart = largest?.group;
    const ok = { type: 'ok', priority, ordered, maxLatencyMs, groupStart, groupEnd: undefined } as const;
    const bytes = encodeSubscribeResponse(ok, version);
    this.#state = { name: 'accepted', publication };
    this.#stream.write(bytes);
    return publication;
  }

  reject(code: number): void {
    if (this.#state.name === 'over') return;
    if (this.#state.name === 'accepted') throw new StreamsError('INTERNAL', 'a request is answered once');
    this.#stream.cancel(resetCodeOf(code));
    this.#end();
  }

  revoke(): void {
    if (this.#state.name === 'accepted') {
      this.#state.publication.end(publishDoneCodes.expired);
      this.#cancelled.resolve();
    } else if (this.#state.name === 'pending') {
      this.reject(requestErrorCodes.expiredAuthToken);
      this.#cancelled.resolve();
    }
  }

  /** Reads until the peer ends its side, one way or the other: it has unsubscribed then. */
  async follow(): Promise<void> {
    try {
      for (;;) {
        const update = await this.#stream.reader.message(subscribeUpdate);
        if (update === null) break;
        this.#terms = termsOf(update, this.#terms);
        if (this.#state.name === 'accepted') this.#state.publication.update(this.#terms);
      }
    } finally {
      this.#cancel();
    }
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

  #end(): void {
    this.#state = { name: 'over' };
    this.#context.live.delete(this);
    this.#over.resolve();
  }
}
