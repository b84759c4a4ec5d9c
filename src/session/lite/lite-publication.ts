import { publishDoneCodes, streamResetCodes } from '../../codec/moqt/codes.ts';
import { encodeDatagramTail, withSubscribeId } from '../../codec/moqt/lite/datagram.ts';
import { group } from '../../codec/moqt/lite/group.ts';
import { encodeMessage } from '../../codec/moqt/lite/message.ts';
import { liteObjects } from '../../codec/moqt/lite/objects.ts';
import { dataTypes, withStreamType } from '../../codec/moqt/lite/stream-types.ts';
import { encodeSubscribeResponse } from '../../codec/moqt/lite/subscribe-response.ts';
import { hasTrackInfo } from '../../codec/moqt/lite/version.ts';
import { deadWriter, TrackSubgroupWriter, type WriterOwner } from '../moqt/publish/subgroup-writer.ts';
import { streamPriority } from '../stream-priority.ts';
import type { SubscriptionTerms } from '../terms.ts';
import type { DatagramObject, Publication, SubgroupHeader, SubgroupWriter, UpdateHandler } from '../types.ts';
import type { LiteContext } from './context.ts';
import type { LiteStream } from './lite-stream.ts';

/** Groups whose subgroup is remembered. */
const maxRemembered = 64;

export type LitePublicationParts = {
  readonly alias: number;
  readonly subscribeId: number;
  readonly terms: SubscriptionTerms;
  readonly stream: LiteStream;
  readonly cancelled: Promise<void>;
  /** The end was said. */
  readonly ended: () => void;
  /** Nobody may publish on, though the subscriber has not gone. */
  readonly refused: () => void;
};

/** A subscription of the peer: each group is a stream, its objects are frames. What moq-lite has no word for is left out. */
export class LitePublication implements Publication {
  readonly alias: number;
  readonly cancelled: Promise<void>;
  readonly #context: LiteContext;
  readonly #parts: LitePublicationParts;
  readonly #writers = new Set<TrackSubgroupWriter>();
  readonly #ofWriters: WriterOwner = {
    wrote() {},
    closed: (writer) => {
      this.#writers.delete(writer);
      this.#sayEnd();
    },
    failed: (error) => this.#context.fail(error),
  };
  /** Which subgroup a group is made of: the first that came. */
  readonly #subgroups = new Map<number, number>();
  #terms: SubscriptionTerms;
  #onUpdate: UpdateHandler | undefined;
  /** Of the first and behind the last group; undefined: none was opened. */
  #first: number | undefined;
  #end = 0;
  /** `finishing`: the end waits for the last stream. */
  #state: { name: 'open' } | { name: 'finishing'; status: number } | { name: 'over' } = { name: 'open' };

  constructor(context: LiteContext, parts: LitePublicationParts) {
    this.alias = parts.alias;
    this.cancelled = parts.cancelled;
    this.#context = context;
    this.#parts = parts;
    this.#terms = parts.terms;
  }

  get terms(): SubscriptionTerms {
    return this.#terms;
  }

  onUpdate(handler: UpdateHandler): void {
    this.#onUpdate = handler;
  }

  openSubgroup(header: SubgroupHeader): SubgroupWriter {
    if (this.#state.name !== 'open' || !this.#isTheOne(header)) return deadWriter;
    const { transport, version } = this.#context;
    const { groupId } = header;
    if (this.#first === undefined) this.#started(groupId);
    this.#end = Math.max(this.#end, groupId + 1);
    const { subscribeId } = this.#parts;
    const head = withStreamType(dataTypes.group, encodeMessage(group, { subscribeId, sequence: groupId }, version));
    const stream = transport.openUni({ priority: this.#priority(header), head });
    const writer = new TrackSubgroupWriter(liteObjects[version], stream, header, this.#ofWriters);
    this.#writers.add(writer);
    return writer;
  }

  sendDatagram(datagram: DatagramObject): boolean {
    const tail = hasTrackInfo(this.#context.version) ? encodeDatagramTail(datagram) : undefined;
    return tail !== undefined && this.sendDatagramBytes(tail);
  }

  /** Of the bindings only QUIC and WebTransport have datagrams (draft-lcurley-moq-lite-05, Transports). */
  sendDatagramBytes(bytes: Uint8Array): boolean {
    const { transport } = this.#context;
    if (this.#state.name !== 'open' || transport.kind === 'qmux') return false;
    const datagram = withSubscribeId(this.#parts.subscribeId, bytes);
    return datagram !== undefined && transport.sendDatagram(datagram);
  }

  done(status: number): void {
    if (this.#state.name !== 'open') return;
    this.#state = { name: 'finishing', status };
    this.#sayEnd();
  }

  /** A group is known by its number for as long as the subscription lasts. */
  startOver(): void {
    if (this.#state.name !== 'open') return;
    this.end(publishDoneCodes.trackEnded);
    this.#parts.refused();
  }

  /** SUBSCRIBE_UPDATE. A refused one ends the publication. */
  update(terms: SubscriptionTerms): void {
    if (this.#state.name === 'over') return;
    const before = this.#terms;
    this.#terms = terms;
    const answer = this.#onUpdate?.(terms, before) ?? {};
    if ('code' in answer || (this.#onUpdate === undefined && terms.filter !== before.filter)) {
      this.end(publishDoneCodes.updateFailed);
      this.#parts.refused();
      return;
    }
    if (terms.priority === before.priority && terms.groupOrder === before.groupOrder) return;
    for (const writer of this.#writers) writer.stream.setPriority(this.#priority(writer.header));
  }

  /** The peer cancelled or the session ended. */
  cancel(): void {
    this.#state = { name: 'over' };
    this.#cancelStreams();
  }

  /** At once: what is under way is reset. */
  end(status: number): void {
    this.#cancelStreams();
    this.done(status);
  }

  #isTheOne({ groupId, subgroupId }: SubgroupHeader): boolean {
    const known = this.#subgroups.get(groupId);
    if (known !== undefined) return known === subgroupId;
    this.#subgroups.set(groupId, subgroupId);
    if (this.#subgroups.size > maxRemembered) this.#subgroups.delete(this.#subgroups.keys().next().value!);
    return true;
  }

  #started(groupId: number): void {
    this.#first = groupId;
    const { version } = this.#context;
    if (!hasTrackInfo(version)) return;
    this.#parts.stream.write(encodeSubscribeResponse({ type: 'start', group: groupId }, version));
  }

  #cancelStreams(): void {
    for (const writer of [...this.#writers]) writer.reset(streamResetCodes.cancelled);
  }

  #priority(header: SubgroupHeader): number {
    return streamPriority({
      subscriberPriority: this.#terms.priority,
      publisherPriority: header.priority,
      groupOrder: this.#terms.groupOrder ?? 'descending',
      groupId: header.groupId,
      subgroupId: header.subgroupId,
    });
  }

  #sayEnd(): void {
    if (this.#state.name !== 'finishing' || this.#writers.size > 0) return;
    const { status } = this.#state;
    const { stream, ended } = this.#parts;
    const { version } = this.#context;
    this.#state = { name: 'over' };
    if (isPlainEnd(status)) {
      if (hasTrackInfo(version)) stream.write(encodeSubscribeResponse({ type: 'end', group: this.#end }, version));
      stream.finish();
    } else stream.cancel(resetCodes[status] ?? streamResetCodes.internalError);
    ended();
  }
}

function isPlainEnd(status: number): boolean {
  return status === publishDoneCodes.trackEnded || status === publishDoneCodes.subscriptionEnded;
}

/** Ends that are no end of the track. */
const resetCodes: Readonly<Record<number, number>> = {
  [publishDoneCodes.goingAway]: streamResetCodes.goingAway,
  [publishDoneCodes.tooFarBehind]: streamResetCodes.tooFarBehind,
  [publishDoneCodes.expired]: streamResetCodes.expiredAuthToken,
  [publishDoneCodes.excessiveLoad]: streamResetCodes.excessiveLoad,
  [publishDoneCodes.malformedTrack]: streamResetCodes.malformedTrack,
};
