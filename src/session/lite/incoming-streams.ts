import { requestErrorCodes, streamResetCodes } from '../../codec/moqt/codes.ts';
import { announceRequest } from '../../codec/moqt/lite/announce-request.ts';
import { resetCodeOf } from '../../codec/moqt/lite/codes.ts';
import { fetch } from '../../codec/moqt/lite/fetch.ts';
import { goaway } from '../../codec/moqt/lite/goaway.ts';
import type { MessageCodec } from '../../codec/moqt/lite/message.ts';
import { dataTypes, requestTypes } from '../../codec/moqt/lite/stream-types.ts';
import { subscribe } from '../../codec/moqt/lite/subscribe.ts';
import { track } from '../../codec/moqt/lite/track.ts';
import { hasTrackInfo } from '../../codec/moqt/lite/version.ts';
import { protocolViolation } from '../../codec/moqt/moqt-error.ts';
import { deliverAll } from '../../transport/deliver.ts';
import { AnnounceFeed } from './announce-feed.ts';
import { answerProbe } from './answer-probe.ts';
import type { LiteContext } from './context.ts';
import { LiteFetchRequest } from './lite-fetch-request.ts';
import { LiteReader, LiteStream } from './lite-stream.ts';
import { LiteSubscribeRequest } from './lite-subscribe-request.ts';
import type { LiteSubscriber } from './lite-subscriber.ts';
import type { OwnNamespaces } from './own-namespaces.ts';
import { TrackRequest } from './track-request.ts';

/** Streams that may wait for SETUP and authorisation; more are reset. */
const maxEarly = 32;
/** Announce Streams, and Probe Streams, of one peer at once; more are reset. */
const maxFeeds = 256;
const maxProbes = 4;

export type IncomingParts = {
  readonly subscriber: LiteSubscriber;
  readonly own: OwnNamespaces;
  onSetup(reader: LiteReader): Promise<void>;
  onGoaway(uri: string): void;
};

/** The peer's streams, each told by the integer it begins with (draft-lcurley-moq-lite, Streams). */
export class IncomingStreams {
  readonly #context: LiteContext;
  readonly #parts: IncomingParts;
  /** Subscribe ids in use by the peer. */
  readonly #subscribeIds = new Set<number>();
  #early = 0;
  #feeds = 0;
  #probes = 0;

  constructor(context: LiteContext, parts: IncomingParts) {
    this.#context = context;
    this.#parts = parts;
  }

  run(): void {
    const { transport, version, guard, isOpen } = this.#context;
    deliverAll(transport, {
      bidi: (stream) => guard(() => this.#request(new LiteStream(stream, version))),
      uni: (stream) => guard(() => this.#data(new LiteReader(stream, version))),
      datagram: (bytes) => {
        if (hasTrackInfo(version) && isOpen()) guard(() => this.#parts.subscriber.onDatagram(bytes));
      },
    });
  }

  async #data(reader: LiteReader): Promise<void> {
    const type = await reader.varint();
    if (type === dataTypes.setup && hasTrackInfo(this.#context.version)) return this.#parts.onSetup(reader);
    if (type !== dataTypes.group || !(await this.#ready())) reader.stop(streamResetCodes.internalError);
    else await this.#parts.subscriber.onGroup(reader);
  }

  async #request(stream: LiteStream): Promise<void> {
    const type = await stream.reader.varint();
    if (type === null) {
      stream.finish();
      return;
    }
    if (!(await this.#ready())) {
      stream.cancel(streamResetCodes.excessiveLoad);
      return;
    }
    if (type === requestTypes.goaway) {
      this.#parts.onGoaway((await first(stream, goaway)).uri);
      // Whoever sent it ends the stream with the session.
      while ((await stream.reader.receive.read()) !== null);
      stream.finish();
    } else if (this.#context.isDraining()) stream.cancel(resetCodeOf(requestErrorCodes.goingAway));
    else await this.#dispatch(type, stream);
  }

  async #dispatch(type: number, stream: LiteStream): Promise<void> {
    switch (type) {
      case requestTypes.announce: {
        if (this.#feeds >= maxFeeds) break;
        this.#feeds++;
        return this.#announce(stream).finally(() => this.#feeds--);
      }
      case requestTypes.subscribe:
        return this.#subscribe(stream);
      case requestTypes.fetch: {
        const request = new LiteFetchRequest(this.#context, stream, await first(stream, fetch));
        const { fetch: handler } = this.#context.handlers();
        if (handler === undefined) request.reject(requestErrorCodes.notSupported);
        else this.#context.guard(() => handler(request));
        return;
      }
      case requestTypes.probe: {
        if (this.#probes >= maxProbes) break;
        this.#probes++;
        return answerProbe(this.#context, stream).finally(() => this.#probes--);
      }
      case requestTypes.track:
        if (hasTrackInfo(this.#context.version)) return this.#track(stream);
    }
    // Too many, or an extension that we do not have.
    stream.cancel(streamResetCodes.internalError);
  }

  async #announce(stream: LiteStream): Promise<void> {
    const feed = new AnnounceFeed(this.#context, stream, await first(stream, announceRequest));
    this.#parts.own.tell(feed);
    const { subscribeNamespace } = this.#context.handlers();
    if (subscribeNamespace === undefined) feed.accept();
    else this.#context.guard(() => subscribeNamespace(feed));
    await feed.follow();
  }

  async #subscribe(stream: LiteStream): Promise<void> {
    const message = await first(stream, subscribe);
    if (this.#subscribeIds.has(message.id)) throw protocolViolation(`subscribe id ${message.id} twice`);
    const { subscribe: handler } = this.#context.handlers();
    const request = new LiteSubscribeRequest(this.#context, stream, message);
    if (handler === undefined) {
      request.reject(requestErrorCodes.notSupported);
      return;
    }
    this.#subscribeIds.add(message.id);
    void request.over.then(() => this.#subscribeIds.delete(message.id));
    const following = request.follow();
    this.#context.guard(() => handler(request));
    await following;
  }

  async #track(stream: LiteStream): Promise<void> {
    const request = new TrackRequest(this.#context, stream, await first(stream, track));
    const { trackStatus, subscribe: publishes } = this.#context.handlers();
    if (trackStatus === undefined) request.answer(publishes !== undefined);
    else this.#context.guard(() => trackStatus(request));
  }

  /** False: too many wait already, or the session ended first. */
  async #ready(): Promise<boolean> {
    if (this.#context.isOpen()) return true;
    if (this.#early >= maxEarly) return false;
    this.#early++;
    const opened = await this.#context.opened;
    this.#early--;
    return opened;
  }
}

async function first<T>(stream: LiteStream, codec: MessageCodec<T>): Promise<T> {
  const message = await stream.reader.message(codec);
  if (message === null) throw protocolViolation(`a stream without its ${codec.name}`);
  return message;
}
