import { streamResetCodes } from '../../codec/moqt/codes.ts';
import { decodeDatagram } from '../../codec/moqt/lite/datagram.ts';
import { group } from '../../codec/moqt/lite/group.ts';
import { requestTypes } from '../../codec/moqt/lite/stream-types.ts';
import { subscribe } from '../../codec/moqt/lite/subscribe.ts';
import { subscribeResponseCodec } from '../../codec/moqt/lite/subscribe-response.ts';
import { trackPropertiesOf } from '../../codec/moqt/lite/timestamp.ts';
import { type TrackInfo, trackInfo, track as trackMessage } from '../../codec/moqt/lite/track.ts';
import { hasTrackInfo } from '../../codec/moqt/lite/version.ts';
import { MoqtError, protocolViolation } from '../../codec/moqt/moqt-error.ts';
import { emptyBytes } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { termsWith } from '../terms.ts';
import type { SubscribeOptions, Subscription, TrackName } from '../types.ts';
import type { LiteContext } from './context.ts';
import { FrameReader } from './group-reader.ts';
import { type LiteReader, type LiteStream, openRequest } from './lite-stream.ts';
import { LiteSubscription } from './lite-subscription.ts';
import { updateFor } from './lite-terms.ts';
import { refusalError, unanswered } from './refused.ts';

/** Our subscriptions of one session, by subscribe id. */
export class LiteSubscriber {
  readonly #context: LiteContext;
  readonly #byId = new Map<number, LiteSubscription>();
  #nextId = 0;

  constructor(context: LiteContext) {
    this.#context = context;
  }

  /** Throws UNSUPPORTED for options that moq-lite cannot say. It cannot wait for a publisher: `rendezvousMs` counts for nothing. */
  async subscribe(track: TrackName, options: SubscribeOptions = {}): Promise<Subscription> {
    const { signal, tokens = [] } = options;
    checkOpen(this.#context, signal);
    checkTokens(tokens);
    const terms = { ...termsWith({}), ...defined(options) };
    const update = updateFor(terms);
    const info = hasTrackInfo(this.#context.version) ? await this.trackInfo(track, signal) : undefined;
    const id = this.#nextId++;
    const stream = openRequest(this.#context, requestTypes.subscribe, subscribe, { id, ...track, ...update });
    const subscription = new LiteSubscription(this.#context, {
      track,
      terms,
      trackProperties: info === undefined ? emptyBytes : trackPropertiesOf(info),
      priority: 255 - (info?.priority ?? 127),
      stream,
      ended: () => void this.#byId.delete(id),
    });
    this.#byId.set(id, subscription);
    if (info === undefined) {
      const abort = () => subscription.unsubscribe();
      signal?.addEventListener('abort', abort, { once: true });
      try {
        await this.#accepted(stream);
        if (signal?.aborted) throw interrupted();
      } catch (error) {
        subscription.unsubscribe();
        if (signal?.aborted) throw interrupted();
        throw refusalError(error, 'SUBSCRIBE');
      } finally {
        signal?.removeEventListener('abort', abort);
      }
    }
    void subscription.follow();
    return subscription;
  }

  /** What moq-lite-05 says of a track. Throws RequestError or StreamsError. */
  async trackInfo(track: TrackName, signal?: AbortSignal): Promise<TrackInfo> {
    const stream = openRequest(this.#context, requestTypes.track, trackMessage, track);
    const abort = () => stream.cancel(streamResetCodes.cancelled);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const info = await stream.reader.message(trackInfo);
      if (signal?.aborted) throw interrupted();
      if (info === null) throw unanswered('TRACK');
      stream.finish();
      return info;
    } catch (error) {
      stream.cancel(streamResetCodes.cancelled);
      if (error instanceof MoqtError) this.#context.fail(error);
      throw refusalError(error, 'TRACK');
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** A group stream whose type was read. */
  async onGroup(reader: LiteReader): Promise<void> {
    const header = await reader.message(group);
    if (header === null) throw protocolViolation('a group stream without GROUP');
    const subscription = this.#byId.get(header.subscribeId);
    // Of a subscription that we ended, most likely.
    if (subscription === undefined) reader.stop(streamResetCodes.cancelled);
    else subscription.deliver(header.sequence, new FrameReader(this.#context, reader.receive, reader.rest()));
  }

  onDatagram(bytes: Uint8Array): void {
    const datagram = decodeDatagram(bytes);
    if (datagram !== undefined) this.#byId.get(datagram.subscribeId)?.deliverDatagram(datagram);
  }

  /** SUBSCRIBE_OK of moq-lite-04 comes first. */
  async #accepted(stream: LiteStream): Promise<void> {
    try {
      const answer = await stream.reader.typed(subscribeResponseCodec(this.#context.version));
      if (answer === null) throw unanswered('SUBSCRIBE');
      if (answer.type !== 'ok') throw protocolViolation(`${answer.type} in answer to SUBSCRIBE`);
    } catch (error) {
      if (error instanceof MoqtError) this.#context.fail(error);
      throw error;
    }
  }
}

export function checkOpen(context: LiteContext, signal: AbortSignal | undefined): void {
  if (!context.isOpen()) throw new StreamsError('TRANSPORT_CLOSED', 'the session is closed');
  if (signal?.aborted) throw interrupted();
}

export function checkTokens(tokens: readonly unknown[]): void {
  if (tokens.length > 0) throw new StreamsError('UNSUPPORTED', 'moq-lite has no tokens: they go into the URL');
}

function interrupted(): StreamsError {
  return new StreamsError('INTERRUPTED', 'the request was given up');
}

function defined({ filter, forward, priority, groupOrder, objectTimeoutMs, subgroupTimeoutMs }: SubscribeOptions) {
  return {
    ...(filter !== undefined && { filter }),
    ...(forward !== undefined && { forward }),
    ...(priority !== undefined && { priority }),
    ...(groupOrder !== undefined && { groupOrder }),
    ...(objectTimeoutMs !== undefined && { objectTimeoutMs }),
    ...(subgroupTimeoutMs !== undefined && { subgroupTimeoutMs }),
  };
}
