import { isCatalog } from '../../access/grant.ts';
import { requestErrorCodes, streamResetCodes } from '../../codec/moqt/codes.ts';
import { startDeadline } from '../../core/deadline.ts';
import { ObjectFilter } from '../../session/object-filter.ts';
import { RequestError } from '../../session/request-error.ts';
import type { FetchedObjects, FetchItem, FetchWriter, IncomingFetch, Location } from '../../session/types.ts';
import { StreamResetError } from '../../transport/stream-reset-error.ts';
import type { SessionTally } from '../reports/session-tally.ts';
import type { RelayTrack } from '../track/track.ts';
import type { NamespacePublisher } from '../upstream/namespace-publisher.ts';
import {
  contains,
  endOf,
  type FetchRange,
  isAfter,
  keptObjects,
  partlyKnown,
  rangeOf,
  type Segment,
  segmentsOf,
} from './fetch-range.ts';

export type FetchSources = {
  /** undefined: nobody is subscribed through this relay. */
  readonly track: RelayTrack | undefined;
  find(): NamespacePublisher | undefined;
  /** Longest wait for upstream, whatever the subscriber allows (draft-18 FILL_TIMEOUT). */
  readonly maxFillMs: number;
  /** Of the session that asks. */
  readonly tally: SessionTally;
};

/** When a subscriber that found no publisher may ask again. */
const retryMs = 1000;

/** Answers a FETCH: from the cache what is whole there, the rest from upstream. Resolves when it is over. Throws what the session throws for an answer that it cannot say. */
export async function answerFetch(request: IncomingFetch, sources: FetchSources): Promise<void> {
  const stop = new AbortController();
  void request.cancelled.then(() => stop.abort());
  const { track } = sources;
  if (track?.largest !== undefined) return fromTrack(request, track, track.largest, sources, stop.signal);
  const publisher = sources.find();
  if (publisher !== undefined) return passThrough(request, publisher, sources, stop.signal);
  if (track !== undefined) request.reject(requestErrorCodes.invalidRange, 'nothing was published yet');
  else request.reject(requestErrorCodes.doesNotExist, 'nobody publishes this namespace', retryMs);
}

async function passThrough(
  request: IncomingFetch,
  publisher: NamespacePublisher,
  { maxFillMs, tally }: FetchSources,
  signal: AbortSignal,
): Promise<void> {
  const { track, start, end, groupOrder, priority } = request;
  const fillTimeoutMs = Math.min(request.fillTimeoutMs ?? maxFillMs, maxFillMs);
  const deadline = startDeadline(maxFillMs, signal);
  let fetched: FetchedObjects;
  try {
    const options = { groupOrder, priority, fillTimeoutMs, signal: deadline.signal };
    fetched = await publisher.session.fetch({ track, start, end }, options);
  } catch (error) {
    if (error instanceof RequestError) request.reject(error.requestCode, error.reason, error.retryMs);
    else if (deadline.signal.aborted)
      request.reject(requestErrorCodes.timeout, 'the publisher does not answer', retryMs);
    else request.reject(requestErrorCodes.internalError, 'the publisher is gone', retryMs);
    return;
  } finally {
    deadline.clear();
  }
  const { endOfTrack, trackProperties } = fetched;
  signal.addEventListener('abort', () => fetched.stop(), { once: true });
  try {
    const writer = request.accept({ end: fetched.end, endOfTrack, trackProperties });
    const range = rangeOf(start, fetched.end);
    await send(writer, within(range, fetched), request, tally);
  } finally {
    fetched.stop();
  }
}

async function* within(range: FetchRange, fetched: FetchedObjects): AsyncGenerator<FetchItem> {
  for (let item = await fetched.next(); item !== null; item = await fetched.next()) {
    if (contains(range, locationOf(item))) yield item;
  }
}

async function fromTrack(
  request: IncomingFetch,
  track: RelayTrack,
  largest: Location,
  sources: FetchSources,
  signal: AbortSignal,
): Promise<void> {
  if (isAfter(request.start, largest)) {
    request.reject(requestErrorCodes.invalidRange, 'nothing was published there yet');
    return;
  }
  const asked = rangeOf(request.start, request.end);
  const range = isAfter(asked.last, largest) ? { first: asked.first, last: largest } : asked;
  const writer = request.accept({ end: endOf(range), endOfTrack: false, trackProperties: track.properties });
  const fillMs = Math.min(request.fillTimeoutMs ?? sources.maxFillMs, sources.maxFillMs);
  const upstream = new Upstream(request, sources, fillMs, signal);
  await send(writer, itemsOf(track, range, request, upstream), request, sources.tally);
}

async function* itemsOf(
  track: RelayTrack,
  range: FetchRange,
  { groupOrder }: IncomingFetch,
  upstream: Upstream,
): AsyncGenerator<FetchItem> {
  for (const segment of segmentsOf(track, range, groupOrder)) {
    const kept = keptSegment(track, segment);
    if (kept !== undefined) {
      yield* kept;
      continue;
    }
    const got = { last: undefined as Location | undefined };
    if (yield* upstream.fetch(segment, got)) continue;
    yield* partlyKnown(track, segment, groupOrder, got.last);
  }
}

/** undefined: it was never whole, or is so no longer. */
function keptSegment(track: RelayTrack, segment: Segment): readonly FetchItem[] | undefined {
  const group = segment.kept ? track.groupOf(segment.first.group) : undefined;
  if (group === undefined) return undefined;
  const { objects, whole } = keptObjects(group, segment.first.object, segment.last.object);
  return whole ? objects : undefined;
}

/** Fetches of one request upstream, within one budget of time. */
class Upstream {
  readonly #request: IncomingFetch;
  readonly #sources: FetchSources;
  readonly #signal: AbortSignal;
  #budgetMs: number;

  constructor(request: IncomingFetch, sources: FetchSources, budgetMs: number, signal: AbortSignal) {
    this.#request = request;
    this.#sources = sources;
    this.#budgetMs = budgetMs;
    this.#signal = signal;
  }

  /** Returns whether the range is complete; `got.last` is the last location handed out. */
  async *fetch(range: FetchRange, got: { last: Location | undefined }): AsyncGenerator<FetchItem, boolean> {
    const publisher = this.#sources.find();
    if (publisher === undefined || this.#budgetMs <= 0) return false;
    const { track, groupOrder, priority } = this.#request;
    const startedAt = performance.now();
    const { signal, clear } = startDeadline(this.#budgetMs, this.#signal);
    let fetched: FetchedObjects | undefined;
    try {
      const options = { groupOrder, priority, fillTimeoutMs: Math.ceil(this.#budgetMs), signal };
      fetched = await publisher.session.fetch({ track, start: range.first, end: endOf(range) }, options);
      const giveUp = fetched;
      signal.addEventListener('abort', () => giveUp.stop(), { once: true });
      const answered = rangeOf(range.first, fetched.end);
      for await (const item of within(range, fetched)) {
        got.last = locationOf(item);
        yield item;
      }
      return !signal.aborted && !isAfter(range.last, answered.last);
    } catch {
      return false;
    } finally {
      clear();
      fetched?.stop();
      this.#budgetMs -= performance.now() - startedAt;
    }
  }
}

async function send(
  writer: FetchWriter,
  items: AsyncIterable<FetchItem>,
  { track, rangeFilters }: IncomingFetch,
  tally: SessionTally,
): Promise<void> {
  const filter = ObjectFilter.of(rangeFilters);
  try {
    for await (const item of items) {
      if (filter?.passesItem(item) === false) continue;
      if (!(await writer.write(item))) return;
      if (item.kind !== 'object') continue;
      tally.objectsSent++;
      if (!isCatalog(track.name)) tally.joined(performance.now());
    }
    writer.finish();
  } catch (error) {
    writer.reset(error instanceof StreamResetError ? error.resetCode : streamResetCodes.internalError);
  }
}

function locationOf(item: FetchItem): Location {
  return { group: item.groupId, object: item.kind === 'object' ? item.object.objectId : item.objectId };
}
