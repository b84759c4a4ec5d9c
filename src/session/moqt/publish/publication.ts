import { publishDoneCodes, requestErrorCodes, streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { RequestUpdate } from '../../../codec/moqt/control/request-update.ts';
import type { GroupOrder, Location } from '../../../codec/moqt/model.ts';
import { emptyBytes } from '../../../core/bytes.ts';
import { streamPriority } from '../../stream-priority.ts';
import { type SubscriptionTerms, termsWith } from '../../terms.ts';
import type { DatagramObject, Publication, SubgroupHeader, SubgroupWriter, UpdateHandler } from '../../types.ts';
import type { SessionContext } from '../context.ts';
import type { MessageStream } from '../message-stream.ts';
import { refusedUpdate } from '../requests/refused-filter.ts';
import type { AskedFill } from './fill.ts';
import { deadWriter, TrackSubgroupWriter, type WriterOwner } from './subgroup-writer.ts';

export type PublicationParts = {
  readonly alias: number;
  readonly terms: SubscriptionTerms;
  /** The track's order, for subscribers who do not care. */
  readonly defaultGroupOrder: GroupOrder;
  /** Opens a stream with what is there up to `largest`. */
  readonly fill: (asked: AskedFill, largest: Location) => void;
  /** Largest location told to the subscriber. */
  readonly largest: Location | undefined;
  readonly stream: MessageStream;
  readonly cancelled: Promise<void>;
  /** PUBLISH_DONE is out. */
  readonly ended: () => void;
  /** An update of the subscriber was refused: nobody may publish on. */
  readonly refused: () => void;
};

export class TrackPublication implements Publication {
  readonly alias: number;
  readonly cancelled: Promise<void>;
  /** Where a joining fetch ends (draft-18 5.1); undefined: nothing was published before. */
  joiningLocation: Location | undefined;
  readonly #context: SessionContext;
  readonly #parts: PublicationParts;
  readonly #writers = new Set<TrackSubgroupWriter>();
  readonly #ofWriters: WriterOwner = {
    wrote: (group, object) => this.#wrote({ group, object }),
    closed: (writer) => this.#closed(writer),
    failed: (error) => this.#context.fail(error),
  };
  #terms: SubscriptionTerms;
  #onUpdate: UpdateHandler | undefined;
  /** Of what was told, and of what went through our writers. */
  #largest: Location | undefined;
  #streamCount = 0;
  /** There may be streams that are not ours to count (draft-20 10.12). */
  #filled = false;
  /** `finishing`: PUBLISH_DONE waits for the last stream (draft-18 10.11). */
  #state: { name: 'open' } | { name: 'finishing'; status: number; reason: string } | { name: 'over' } = {
    name: 'open',
  };

  constructor(context: SessionContext, parts: PublicationParts) {
    this.alias = parts.alias;
    this.cancelled = parts.cancelled;
    this.joiningLocation = parts.largest;
    this.#largest = parts.largest;
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
    if (this.#state.name !== 'open' || !this.#terms.forward) return deadWriter;
    const { transport, dialect } = this.#context;
    const head = dialect.encodeSubgroupHeader({
      trackAlias: this.alias,
      groupId: header.groupId,
      subgroupId: header.subgroupId,
      priority: header.priority,
      endOfGroup: header.endOfGroup,
      properties: header.properties ?? false,
      firstObject: header.firstObject ?? false,
    });
    const stream = transport.openUni({ priority: this.#priority(header), head });
    this.#streamCount++;
    const writer = new TrackSubgroupWriter(dialect, stream, header, this.#ofWriters);
    this.#writers.add(writer);
    return writer;
  }

  sendDatagram({ groupId, priority, endOfGroup, object }: DatagramObject): boolean {
    const { dialect } = this.#context;
    const bytes = dialect.encodeDatagram({ trackAlias: this.alias, groupId, priority, endOfGroup, object });
    const sent = this.sendDatagramBytes(bytes);
    if (sent) this.#wrote({ group: groupId, object: object.objectId });
    return sent;
  }

  sendDatagramBytes(bytes: Uint8Array): boolean {
    if (this.#state.name !== 'open' || !this.#terms.forward) return false;
    return this.#context.transport.sendDatagram(bytes);
  }

  done(status: number, reason: string): void {
    if (this.#state.name !== 'open') return;
    this.#state = { name: 'finishing', status, reason };
    this.#sendDone();
  }

  /** Nothing is there to fill with where nothing was published. */
  fill(asked: AskedFill, largest: Location | undefined): void {
    if (largest === undefined) return;
    this.#filled = true;
    this.#parts.fill(asked, largest);
  }

  /** REQUEST_UPDATE (draft-18 10.9.1), its request id already taken. A refused one ends the publication. */
  update({ requestId, parameters }: RequestUpdate): void {
    if (this.#state.name === 'over') return;
    const before = this.#terms;
    const refused = refusedUpdate(parameters, before.rangeFilters);
    if (refused !== undefined) {
      this.#refuseUpdate(refused.code, refused.reason);
      return;
    }
    const terms = termsWith(parameters, before);
    const isFiltering = parameters.subscriptionFilter !== undefined || parameters.rangeFilters !== undefined;
    if (this.#onUpdate === undefined && isFiltering) {
      this.#refuseUpdate(requestErrorCodes.notSupported, 'the filter stays as subscribed');
      return;
    }
    this.#terms = terms;
    const answer = this.#onUpdate?.(terms, before) ?? (this.#largest === undefined ? {} : { largest: this.#largest });
    if ('code' in answer) {
      this.#refuseUpdate(answer.code, answer.reason);
      return;
    }
    const { largest, expiresMs } = answer;
    if (terms.forward && !before.forward) this.joiningLocation = largest;
    if (!terms.forward) this.#cancelStreams();
    if (terms.priority !== before.priority) {
      for (const writer of this.#writers) writer.stream.setPriority(this.#priority(writer.header));
    }
    this.#parts.stream.send({
      type: 'requestOk',
      parameters: {
        ...(largest !== undefined && { largestObject: largest }),
        ...(expiresMs !== undefined && { expiresMs }),
      },
      trackProperties: emptyBytes,
    });
    if (parameters.fill !== undefined && terms.forward) this.fill({ requestId, parameters: parameters.fill }, largest);
  }

  /** The peer cancelled or the session ended: nothing more is sent (draft-18 5.1.1). */
  cancel(): void {
    this.#state = { name: 'over' };
    this.#cancelStreams();
  }

  /** At once: what is under way is reset. */
  end(status: number, reason: string): void {
    this.#cancelStreams();
    this.done(status, reason);
  }

  #refuseUpdate(code: number, reason: string): void {
    this.#parts.stream.send({ type: 'requestError', code, reason });
    this.end(publishDoneCodes.updateFailed, reason);
    this.#parts.refused();
  }

  #cancelStreams(): void {
    for (const writer of [...this.#writers]) writer.reset(streamResetCodes.cancelled);
  }

  #priority(header: SubgroupHeader): number {
    return streamPriority({
      subscriberPriority: this.#terms.priority,
      publisherPriority: header.priority,
      groupOrder: this.#terms.groupOrder ?? this.#parts.defaultGroupOrder,
      groupId: header.groupId,
      subgroupId: header.subgroupId,
    });
  }

  #wrote(location: Location): void {
    const largest = this.#largest;
    if (largest !== undefined && location.group <= largest.group) {
      if (location.group < largest.group || location.object <= largest.object) return;
    }
    this.#largest = location;
  }

  #closed(writer: TrackSubgroupWriter): void {
    this.#writers.delete(writer);
    this.#sendDone();
  }

  #sendDone(): void {
    if (this.#state.name !== 'finishing' || this.#writers.size > 0) return;
    const { status, reason } = this.#state;
    this.#state = { name: 'over' };
    const count = this.#filled ? {} : { streamCount: this.#streamCount };
    this.#parts.stream.send({ type: 'publishDone', status, reason, ...count });
    this.#parts.stream.finish();
    this.#parts.ended();
  }
}
