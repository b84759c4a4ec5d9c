import { streamResetCodes } from '../codec/moqt/codes.ts';
import type { GroupOrder } from '../codec/moqt/model.ts';
import type { SessionContext } from './context.ts';
import type { MessageStream } from './message-stream.ts';
import { streamPriority } from './stream-priority.ts';
import { deadWriter, TrackSubgroupWriter } from './subgroup-writer.ts';
import type { Publication, SubgroupHeader, SubgroupWriter } from './types.ts';

export type PublicationParts = {
  readonly alias: number;
  readonly groupOrder: GroupOrder;
  readonly subscriberPriority: number;
  readonly stream: MessageStream;
  readonly cancelled: Promise<void>;
  /** PUBLISH_DONE is out. */
  readonly ended: () => void;
};

export class TrackPublication implements Publication {
  readonly alias: number;
  readonly cancelled: Promise<void>;
  readonly #context: SessionContext;
  readonly #parts: PublicationParts;
  readonly #writers = new Set<TrackSubgroupWriter>();
  #subscriberPriority: number;
  #streamCount = 0;
  /** `finishing`: PUBLISH_DONE waits for the last stream (draft-18 10.11). */
  #state: { name: 'open' } | { name: 'finishing'; status: number; reason: string } | { name: 'over' } = {
    name: 'open',
  };

  constructor(context: SessionContext, parts: PublicationParts) {
    this.alias = parts.alias;
    this.cancelled = parts.cancelled;
    this.#context = context;
    this.#parts = parts;
    this.#subscriberPriority = parts.subscriberPriority;
  }

  openSubgroup(header: SubgroupHeader): SubgroupWriter {
    if (this.#state.name !== 'open') return deadWriter;
    const { transport, dialect } = this.#context;
    const stream = transport.openUni({ priority: this.#priority(header) });
    this.#streamCount++;
    stream.write(
      dialect.encodeSubgroupHeader({
        trackAlias: this.alias,
        groupId: header.groupId,
        subgroupId: header.subgroupId,
        priority: header.priority,
        endOfGroup: header.endOfGroup,
        properties: header.properties ?? false,
        firstObject: header.firstObject ?? false,
      }),
    );
    const writer = new TrackSubgroupWriter(dialect, stream, header, () => this.#closed(writer));
    this.#writers.add(writer);
    return writer;
  }

  done(status: number, reason: string): void {
    if (this.#state.name !== 'open') return;
    this.#state = { name: 'finishing', status, reason };
    this.#sendDone();
  }

  /** REQUEST_UPDATE changed it: streams already open follow. */
  setSubscriberPriority(priority: number): void {
    this.#subscriberPriority = priority;
    for (const writer of this.#writers) writer.stream.setPriority(this.#priority(writer.header));
  }

  /** The peer cancelled or the session ended: nothing more is sent (draft-18 5.1.1). */
  cancel(): void {
    this.#state = { name: 'over' };
    this.cancelStreams();
  }

  /** Gives up what is open; the publication itself goes on. */
  cancelStreams(): void {
    for (const writer of [...this.#writers]) writer.reset(streamResetCodes.cancelled);
  }

  #priority(header: SubgroupHeader): number {
    return streamPriority({
      subscriberPriority: this.#subscriberPriority,
      publisherPriority: header.priority,
      groupOrder: this.#parts.groupOrder,
      groupId: header.groupId,
      subgroupId: header.subgroupId,
    });
  }

  #closed(writer: TrackSubgroupWriter): void {
    this.#writers.delete(writer);
    this.#sendDone();
  }

  #sendDone(): void {
    if (this.#state.name !== 'finishing' || this.#writers.size > 0) return;
    const { status, reason } = this.#state;
    this.#state = { name: 'over' };
    this.#parts.stream.send({ type: 'publishDone', status, reason, streamCount: this.#streamCount });
    this.#parts.stream.finish();
    this.#parts.ended();
  }
}
