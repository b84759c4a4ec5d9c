import { streamResetCodes } from '../../codec/moqt/codes.ts';
import { fetch } from '../../codec/moqt/lite/fetch.ts';
import { requestTypes } from '../../codec/moqt/lite/stream-types.ts';
import { trackPropertiesOf } from '../../codec/moqt/lite/timestamp.ts';
import { hasTrackInfo } from '../../codec/moqt/lite/version.ts';
import type { Location, TrackName } from '../../codec/moqt/model.ts';
import { emptyBytes } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { objectPriorities } from '../../core/send-order.ts';
import type { FetchedObjects, FetchItem, FetchOptions, FetchTarget } from '../types.ts';
import type { LiteContext } from './context.ts';
import { FrameReader } from './group-reader.ts';
import type { LiteStream } from './lite-stream.ts';
import { openRequest } from './lite-stream.ts';
import { checkOpen, checkTokens, type LiteSubscriber } from './lite-subscriber.ts';
import { refusalError } from './refused.ts';

/** moq-lite fetches group by group, one after the other: no more than these in one request of ours. */
const maxGroups = 64;

/**
 * A FETCH for each group of the range (draft-lcurley-moq-lite, Fetch). Resolves when the first frame of the first group is here, as
 * there is no other sign of consent. Throws UNSUPPORTED, RequestError, INTERRUPTED.
 */
export async function fetchGroups(
  context: LiteContext,
  subscriber: LiteSubscriber,
  target: FetchTarget,
  options: FetchOptions = {},
): Promise<FetchedObjects> {
  const { signal, tokens = [] } = options;
  checkOpen(context, signal);
  checkTokens(tokens);
  if (options.rangeFilters !== undefined) throw new StreamsError('UNSUPPORTED', 'moq-lite has no range filters');
  if (!('track' in target)) throw new StreamsError('UNSUPPORTED', 'moq-lite has no joining fetch');
  const { track, start, end } = target;
  const count = end.group - start.group + 1;
  if (count > maxGroups) throw new StreamsError('UNSUPPORTED', `moq-lite fetches group by group, not ${count} of them`);
  const info = hasTrackInfo(context.version) ? await subscriber.trackInfo(track, signal) : undefined;
  const properties = info === undefined ? emptyBytes : trackPropertiesOf(info);
  const fetched = new LiteFetch(context, track, { start, end }, options, properties, 255 - (info?.priority ?? 127));
  const abort = () => fetched.stop();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    await fetched.open();
  } catch (error) {
    fetched.stop();
    throw refusalError(error, 'FETCH');
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  if (signal?.aborted) throw new StreamsError('INTERRUPTED', 'the request was given up');
  return fetched;
}

class LiteFetch implements FetchedObjects {
  readonly end: Location;
  readonly endOfTrack = false;
  readonly trackProperties: Uint8Array;
  readonly #context: LiteContext;
  readonly #track: TrackName;
  readonly #start: Location;
  readonly #fetchPriority: number;
  readonly #priority: number;
  /** Still to be asked for, the next one last. */
  readonly #groups: number[] = [];
  #current: { readonly groupId: number; readonly stream: LiteStream; readonly frames: FrameReader } | undefined;
  #first: FetchItem | null | undefined;
  #stopped = false;

  constructor(
    context: LiteContext,
    track: TrackName,
    { start, end }: { start: Location; end: Location },
    { priority = objectPriorities.unsaid, groupOrder = 'ascending' }: FetchOptions,
    trackProperties: Uint8Array,
    publisherPriority: number,
  ) {
    this.#context = context;
    this.#track = track;
    this.#start = start;
    this.end = end;
    this.#fetchPriority = 255 - priority;
    this.#priority = publisherPriority;
    this.trackProperties = trackProperties;
    for (let id = start.group; id <= end.group; id++) this.#groups.push(id);
    if (groupOrder === 'ascending') this.#groups.reverse();
  }

  async open(): Promise<void> {
    this.#first = await this.#next();
  }

  async next(): Promise<FetchItem | null> {
    const first = this.#first;
    if (first === undefined) return this.#next();
    this.#first = undefined;
    return first;
  }

  stop(): void {
    this.#stopped = true;
    this.#groups.length = 0;
    this.#current?.stream.send.reset(streamResetCodes.cancelled);
    this.#current?.frames.stop(streamResetCodes.cancelled);
    this.#current = undefined;
  }

  async #next(): Promise<FetchItem | null> {
    for (;;) {
      if (this.#stopped) return null;
      this.#current ??= this.#ask();
      if (this.#current === undefined) return null;
      const { groupId, stream, frames } = this.#current;
      const object = await frames.next();
      if (object === null) {
        stream.finish();
        this.#current = undefined;
      } else if (this.#isWanted(groupId, object.objectId)) {
        return { kind: 'object', groupId, subgroupId: 0, priority: this.#priority, object };
      }
    }
  }

  #ask() {
    const groupId = this.#groups.pop();
    if (groupId === undefined) return undefined;
    const { namespace, name } = this.#track;
    const request = { namespace, name, priority: this.#fetchPriority, group: groupId };
    const stream = openRequest(this.#context, requestTypes.fetch, fetch, request);
    return { groupId, stream, frames: new FrameReader(this.#context, stream.reader.receive, emptyBytes) };
  }

  /** Groups come whole. */
  #isWanted(groupId: number, objectId: number): boolean {
    if (groupId === this.#start.group && objectId < this.#start.object) return false;
    return groupId < this.end.group || this.end.object === 0 || objectId < this.end.object;
  }
}
