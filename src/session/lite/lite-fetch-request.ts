import { streamResetCodes } from '../../codec/moqt/codes.ts';
import { liteResetCodes, resetCodeOf } from '../../codec/moqt/lite/codes.ts';
import type { Fetch } from '../../codec/moqt/lite/fetch.ts';
import { encodeFrame } from '../../codec/moqt/lite/frames.ts';
import type { LiteVersion } from '../../codec/moqt/lite/version.ts';
import type { Location, MoqObject, TrackName } from '../../codec/moqt/model.ts';
import { deferred } from '../../core/deferred.ts';
import { StreamsError } from '../../core/errors.ts';
import { objectPriorities } from '../../core/send-order.ts';
import type { SendStream } from '../../transport/transport.ts';
import { deadStream } from '../dead-stream.ts';
import type { SessionMember } from '../moqt/context.ts';
import { streamPriority } from '../stream-priority.ts';
import type { FetchItem, FetchWriter, IncomingFetch } from '../types.ts';
import type { LiteContext } from './context.ts';
import type { LiteStream } from './lite-stream.ts';

/** One FETCH of the peer: a whole group, whose frames go back on the same stream. */
export class LiteFetchRequest implements IncomingFetch, SessionMember {
  readonly track: TrackName;
  readonly tokens = [];
  readonly start: Location;
  readonly end: Location;
  readonly priority: number;
  readonly groupOrder = 'ascending';
  readonly fillTimeoutMs = undefined;
  readonly #context: LiteContext;
  readonly #stream: LiteStream;
  readonly #cancelled = deferred<void>();
  #state: 'pending' | 'accepted' | 'over' = 'pending';

  constructor(context: LiteContext, stream: LiteStream, { namespace, name, priority, group }: Fetch) {
    this.track = { namespace, name };
    this.start = { group, object: 0 };
    this.end = { group, object: 0 };
    this.priority = 255 - priority;
    this.#context = context;
    this.#stream = stream;
    context.live.add(this);
    void stream.send.stopped.then((code) => {
      if (code !== null) this.#cancel();
    });
  }

  get cancelled(): Promise<void> {
    return this.#cancelled.promise;
  }

  accept(): FetchWriter {
    if (this.#state === 'accepted') throw new StreamsError('INTERNAL', 'a request is answered once');
    const { version } = this.#context;
    if (this.#state === 'over') return new GroupWriter(deadStream, version, () => {});
    this.#state = 'accepted';
    const { priority: subscriberPriority, groupOrder } = this;
    const groupId = this.start.group;
    this.#stream.send.setPriority(
      streamPriority({
        subscriberPriority,
        publisherPriority: objectPriorities.unsaid,
        groupOrder,
        groupId,
        subgroupId: 0,
      }),
    );
    return new GroupWriter(this.#stream.send, version, () => this.#end());
  }

  reject(code: number): void {
    if (this.#state === 'over') return;
    if (this.#state === 'accepted') throw new StreamsError('INTERNAL', 'a request is answered once');
    this.#stream.cancel(resetCodeOf(code));
    this.#end();
  }

  sessionEnded(): void {
    this.#cancel();
  }

  #cancel(): void {
    if (this.#state === 'over') return;
    this.#stream.cancel(streamResetCodes.cancelled);
    this.#end();
    this.#cancelled.resolve();
  }

  #end(): void {
    this.#state = 'over';
    this.#context.live.delete(this);
  }
}

/** Wake-ups that brought no room before the stream is given up: a stream that lies would otherwise spin. */
const maxIdleWakes = 20;

class GroupWriter implements FetchWriter {
  readonly #stream: SendStream;
  readonly #version: LiteVersion;
  readonly #closed: () => void;
  #previous: MoqObject | undefined;
  /** Something is missing. */
  #gap = false;
  #ended = false;

  constructor(stream: SendStream, version: LiteVersion, closed: () => void) {
    this.#stream = stream;
    this.#version = version;
    this.#closed = closed;
    void stream.stopped.then(() => {
      this.#ended = true;
    });
  }

  async write(item: FetchItem): Promise<boolean> {
    if (item.kind === 'endOfRange') {
      this.#gap = true;
      return true;
    }
    const previous = this.#previous;
    const bytes = encodeFrame(this.#version, previous?.objectId, item.object, previous?.properties);
    if (bytes.length === 0) return true;
    for (let wakes = 0; !this.#stream.write(bytes); wakes++) {
      if (this.#ended || wakes > maxIdleWakes) return false;
      await this.#stream.writable();
      if (wakes > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    this.#previous = item.object;
    return true;
  }

  /** A group of which nothing is there is not an empty group. */
  finish(): void {
    if (this.#gap && this.#previous === undefined) this.#stream.reset(liteResetCodes.notFound);
    else this.#stream.finish();
    this.#closed();
  }

  reset(code: number): void {
    this.#stream.reset(code);
    this.#closed();
  }
}
