import { streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { Location, TrackName } from '../../../codec/moqt/model.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { emptyBytes } from '../../../core/bytes.ts';
import { deferred } from '../../../core/deferred.ts';
import { StreamsError } from '../../../core/errors.ts';
import { RequestError } from '../../request-error.ts';
import { termsWith } from '../../terms.ts';
import type { Publication, PublishOffer } from '../../types.ts';
import type { SessionContext, SessionMember } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { awaitRequestOk } from '../requests/await-request-ok.ts';
import { followRequest, takeUpdate } from '../requests/follow-request.ts';
import { refusedFilter } from '../requests/refused-filter.ts';
import type { AskedFill } from './fill.ts';
import type { SubscribeOwner } from './incoming-subscribe.ts';
import { TrackPublication } from './publication.ts';

/** A subscription that we offer (draft-18 10.10). Objects are sent once the peer has agreed. */
export class OutgoingPublish implements SessionMember {
  readonly track: TrackName;
  readonly requestId: number;
  readonly #context: SessionContext;
  readonly #owner: SubscribeOwner;
  readonly #offer: PublishOffer;
  readonly #stream: MessageStream;
  readonly #cancelled = deferred<void>();
  #publication: TrackPublication | undefined;
  #over = false;

  /** Sends PUBLISH. Throws INVALID_ARGUMENT when the alias is taken, and for what cannot be said. */
  constructor(context: SessionContext, owner: SubscribeOwner, track: TrackName, offer: PublishOffer) {
    this.#context = context;
    this.#owner = owner;
    this.#offer = offer;
    this.track = track;
    const { alias, largest, forward, expiresMs, trackProperties = emptyBytes } = offer;
    owner.claimAlias(alias, this);
    const parameters = {
      ...(largest !== undefined && { largestObject: largest }),
      ...(forward !== undefined && { forward }),
      ...(expiresMs !== undefined && { expiresMs }),
    };
    try {
      const opened = context.channel.openRequest((requestId) => ({
        type: 'publish',
        requestId,
        track,
        trackAlias: alias,
        parameters,
        trackProperties,
      }));
      this.requestId = opened.requestId;
      this.#stream = opened.stream;
    } catch (error) {
      owner.giveBackAlias(alias);
      throw error;
    }
    context.live.add(this);
  }

  get cancelled(): Promise<void> {
    return this.#cancelled.promise;
  }
  get answered(): Promise<void> {
    return Promise.resolve();
  }
  get established(): boolean {
    return this.#publication !== undefined && !this.#over;
  }
  get forward(): boolean {
    return this.#publication?.terms.forward ?? false;
  }
  get joiningLocation() {
    return this.#publication?.joiningLocation;
  }

  /** PUBLISH_OK; throws what keeps it from that. */
  async accepted(): Promise<Publication> {
    const { signal, alias, largest, trackProperties = emptyBytes, forward = true, rangeFilters } = this.#offer;
    const abort = (): void => this.#cancel();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const { parameters } = await awaitRequestOk(this.#context, this.#stream, 'PUBLISH');
      if (signal?.aborted) throw new StreamsError('INTERRUPTED', 'the offer was taken back');
      const refused = refusedFilter(parameters, rangeFilters);
      if (refused !== undefined) {
        this.#cancel();
        throw new RequestError(refused.code, refused.reason);
      }
      const offered = { forward, ...(rangeFilters !== undefined && { rangeFilters }) };
      const publication = new TrackPublication(this.#context, {
        alias,
        // Absent is 1 (10.2.10), except that the offer's own state is what the peer answers to.
        terms: termsWith(parameters, termsWith(offered)),
        defaultGroupOrder: this.#context.dialect.readTrackProperties(trackProperties).defaultGroupOrder,
        largest,
        fill: (asked, end) => this.#fill(asked, end),
        stream: this.#stream,
        cancelled: this.cancelled,
        ended: () => this.#end(),
        refused: () => this.#cancelled.resolve(),
      });
      this.#publication = publication;
      if (this.#over) publication.cancel();
      else this.#follow(publication);
      return publication;
    } catch (error) {
      this.#end();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  sessionEnded(): void {
    this.#cancel();
  }

  #follow(publication: TrackPublication): void {
    followRequest(this.#context, this.#stream, {
      message: (message) => {
        if (message.type === 'goaway') return;
        if (message.type !== 'requestUpdate') throw protocolViolation(`${message.type} on a PUBLISH stream`);
        takeUpdate(this.#context, message);
        publication.update(message);
      },
      cancelled: () => this.#cancel(),
      finished: () => this.#cancel(),
    });
  }

  #fill(asked: AskedFill, largest: Location): void {
    const { track, cancelled } = this;
    this.#owner.fill({ track, cancelled, terms: this.#publication!.terms, tokens: [] }, asked, largest);
  }

  #cancel(): void {
    if (this.#over) return;
    this.#stream.cancel(streamResetCodes.cancelled);
    this.#publication?.cancel();
    this.#end();
    this.#cancelled.resolve();
  }

  #end(): void {
    this.#over = true;
    this.#context.live.delete(this);
    this.#owner.release(this, this.#offer.alias);
  }
}
