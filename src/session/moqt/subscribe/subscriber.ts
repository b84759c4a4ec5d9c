import { requestErrorCodes, sessionCodes, streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { Publish } from '../../../codec/moqt/control/publish.ts';
import type { SubscribeOk } from '../../../codec/moqt/control/subscribe-ok.ts';
import type { ObjectDatagram } from '../../../codec/moqt/data/datagram.ts';
import type { MessageParameters } from '../../../codec/moqt/fields/parameters.ts';
import type { Message } from '../../../codec/moqt/message.ts';
import type { TrackName } from '../../../codec/moqt/model.ts';
import { MoqtError, protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import { StreamsError } from '../../../core/errors.ts';
import { RequestError } from '../../request-error.ts';
import { parametersFor } from '../../terms.ts';
import { trackKey } from '../../track-key.ts';
import type { SubscribeOptions, Subscription } from '../../types.ts';
import { tokensParameter } from '../auth-tokens.ts';
import type { SessionContext } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { assertFiltersTaken } from '../requests/refused-filter.ts';
import { HeldSubgroups } from './held-subgroups.ts';
import { PublishRequest } from './incoming-publish.ts';
import type { SubgroupReader } from './incoming-subgroup.ts';
import { type SubscriptionParts, TrackSubscription } from './subscription.ts';

/** Datagrams kept that overtook their SUBSCRIBE_OK. */
const maxHeldDatagrams = 64;

/** Our subscriptions of one session, and the data streams that come for them. */
export class Subscriber {
  readonly #context: SessionContext;
  readonly #byAlias = new Map<number, TrackSubscription>();
  /** Tracks asked for and neither answered nor given up, and the request of each. */
  readonly #pending = new Map<string, MessageStream>();
  /** Tracks offered to us and not yet answered, by alias. */
  readonly #offered = new Map<number, PublishRequest>();
  #heldDatagrams: ObjectDatagram[] = [];
  readonly #held = new HeldSubgroups();

  constructor(context: SessionContext) {
    this.#context = context;
  }

  async subscribe(track: TrackName, options: SubscribeOptions = {}): Promise<Subscription> {
    const { signal } = options;
    if (!this.#context.isOpen()) throw new StreamsError('TRANSPORT_CLOSED', 'the session is closed');
    if (signal?.aborted) throw interrupted();
    assertFiltersTaken(this.#context, options.rangeFilters);
    const key = trackKey(track);
    // draft-18 5.1: one subscription per track and role.
    if (this.#pending.has(key) || this.#find(key) !== undefined)
      throw new StreamsError('CONFLICT', `this session is already subscribed to ${track.name}`);
    const parameters = { ...parametersOf(options), ...tokensParameter(this.#context, options.tokens) };
    const { requestId, stream } = this.#context.channel.openRequest((id) => ({
      type: 'subscribe',
      requestId: id,
      track,
      parameters,
    }));
    const settled = () => {
      if (this.#pending.get(key) === stream) this.#pending.delete(key);
      this.#settled();
    };
    const abort = () => {
      stream.cancel(streamResetCodes.cancelled);
      // The track may be asked for again at once.
      settled();
    };
    this.#pending.set(key, stream);
    try {
      signal?.addEventListener('abort', abort, { once: true });
      const answer = await stream.next();
      if (signal?.aborted) throw interrupted();
      return this.#established(track, requestId, stream, this.#accepted(answer, stream));
    } catch (error) {
      if (error instanceof MoqtError) this.#context.fail(error);
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      settled();
    }
  }

  /** The peer offers a track (draft-18 10.10). */
  async onPublish(stream: MessageStream, message: Publish): Promise<void> {
    const { track, trackAlias: alias } = message;
    const key = trackKey(track);
    const { mandatory, defaultPriority } = this.#context.dialect.readTrackProperties(message.trackProperties);
    const request = new PublishRequest(
      this.#context,
      stream,
      message,
      ({ requestId, largest, trackProperties }) =>
        this.#begin({
          track,
          requestId,
          alias,
          largest,
          expiresMs: message.parameters.expiresMs,
          trackProperties,
          defaultPriority,
          stream,
        }),
      (answered) => {
        if (this.#offered.get(alias) === answered) this.#offered.delete(alias);
        this.#settled();
      },
    );
    const handler = this.#context.handlers().publish;
    const other = this.#byAlias.get(alias);
    const taken = this.#offered.has(alias) || (other?.established === true && trackKey(other.track) !== key);
    const isDuplicate =
      this.#pending.has(key) ||
      this.#find(key) !== undefined ||
      [...this.#offered.values()].some((offer) => trackKey(offer.track) === key);
    if (isDuplicate) request.reject(requestErrorCodes.duplicateSubscription, 'already subscribed');
    else if (taken) throw new MoqtError(sessionCodes.duplicateTrackAlias, `track alias ${alias} is in use`);
    else if (mandatory !== undefined)
      request.reject(requestErrorCodes.unsupportedExtension, mandatoryReason(mandatory));
    else if (handler === undefined) request.reject(requestErrorCodes.notSupported, 'nothing is taken here');
    else {
      this.#offered.set(alias, request);
      this.#context.guard(() => handler(request));
    }
  }

  /** A subgroup stream whose header is known; `subgroup` undefined: it ended before its first object. `bytes`: read so far. */
  onSubgroup(alias: number, subgroup: SubgroupReader | undefined, bytes: number): void {
    const subscription = this.#byAlias.get(alias);
    if (subscription !== undefined) subscription.deliver(subgroup);
    else if (this.#pending.size > 0 || this.#offered.size > 0) this.#held.add(alias, subgroup, bytes);
    else subgroup?.stop(streamResetCodes.cancelled);
  }

  /** Of an alias not yet known it is dropped, unless one may become so (draft-18 11.3). */
  onDatagram(datagram: ObjectDatagram): void {
    const subscription = this.#byAlias.get(datagram.trackAlias);
    if (subscription !== undefined) subscription.deliverDatagram(datagram);
    else if ((this.#pending.size > 0 || this.#offered.size > 0) && this.#heldDatagrams.length < maxHeldDatagrams)
      this.#heldDatagrams.push(datagram);
  }

  sessionEnded(): void {
    this.#held.clear();
  }

  /** With nothing pending, nobody is left who could own what is held. */
  #settled(): void {
    if (this.#pending.size > 0 || this.#offered.size > 0) return;
    this.#held.clear();
    this.#heldDatagrams = [];
  }

  #find(key: string): TrackSubscription | undefined {
    for (const subscription of this.#byAlias.values())
      if (subscription.established && trackKey(subscription.track) === key) return subscription;
    return undefined;
  }

  #accepted(answer: Message | null, stream: MessageStream): SubscribeOk {
    if (answer?.type === 'subscribeOk') return answer;
    if (answer?.type === 'requestError') {
      stream.finish();
      throw new RequestError(answer.code, answer.reason, answer.retryMs);
    }
    if (answer !== null) throw protocolViolation(`${answer.type} in answer to SUBSCRIBE`);
    stream.cancel(streamResetCodes.cancelled);
    throw new RequestError(requestErrorCodes.internalError, 'the peer ended the request without an answer');
  }

  #established(track: TrackName, requestId: number, stream: MessageStream, ok: SubscribeOk): TrackSubscription {
    const properties = this.#context.dialect.readTrackProperties(ok.trackProperties);
    if (properties.mandatory !== undefined) {
      stream.cancel(streamResetCodes.cancelled);
      throw new RequestError(requestErrorCodes.unsupportedExtension, mandatoryReason(properties.mandatory));
    }
    return this.#begin({
      track,
      requestId,
      alias: ok.trackAlias,
      largest: ok.parameters.largestObject,
      expiresMs: ok.parameters.expiresMs,
      trackProperties: ok.trackProperties.slice(),
      defaultPriority: properties.defaultPriority,
      stream,
    });
  }

  /** Throws DUPLICATE_TRACK_ALIAS. */
  #begin(parts: Omit<SubscriptionParts, 'ended'>): TrackSubscription {
    const { alias, track } = parts;
    const previous = this.#byAlias.get(alias);
    if (previous !== undefined) {
      if (previous.established && trackKey(previous.track) !== trackKey(track))
        throw new MoqtError(sessionCodes.duplicateTrackAlias, `track alias ${alias} is in use`);
      previous.superseded();
    }
    const subscription = new TrackSubscription(this.#context, {
      ...parts,
      ended: (ended) => {
        if (this.#byAlias.get(alias) === ended) this.#byAlias.delete(alias);
      },
    });
    this.#byAlias.set(alias, subscription);
    for (const subgroup of this.#held.take(alias)) subscription.deliver(subgroup);
    for (const datagram of this.#heldDatagrams)
      if (datagram.trackAlias === alias) subscription.deliverDatagram(datagram);
    this.#heldDatagrams = this.#heldDatagrams.filter(({ trackAlias }) => trackAlias !== alias);
    subscription.follow();
    return subscription;
  }
}

function mandatoryReason(type: number): string {
  return `mandatory track property 0x${type.toString(16)}`;
}

function parametersOf(options: SubscribeOptions): MessageParameters {
  const { filter, rendezvousMs, forward, signal: _, tokens: __, ...terms } = options;
  const base = parametersFor({
    ...terms,
    ...(forward === false && { forward }),
    ...(filter !== undefined && filter.type !== 'unfiltered' && { filter }),
  });
  return rendezvousMs !== undefined && rendezvousMs > 0 ? { ...base, rendezvousTimeoutMs: rendezvousMs } : base;
}

function interrupted(): StreamsError {
  return new StreamsError('INTERRUPTED', 'the subscription was given up');
}
