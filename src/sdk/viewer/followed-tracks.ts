import type { Catalog } from '../../codec/catalog/streams-catalog.ts';
import { deferred } from '../../core/deferred.ts';
import { childController } from '../../core/delay.ts';
import { type FollowTrackOptions, followTrack, TrackRecord } from './media-track.ts';

type SharedOptions = Omit<FollowTrackOptions, 'track' | 'record' | 'stallMs' | 'last' | 'stop'>;

type Following = { readonly stop: AbortController; readonly done: Promise<boolean> };

/** The tracks of one broadcast that are followed, from the first catalog to its end. `records` outlive it. */
export class FollowedTracks {
  readonly #options: SharedOptions;
  readonly #records: Map<string, TrackRecord>;
  readonly #stop: ReturnType<typeof childController>;
  readonly #last: ReturnType<typeof childController>;
  readonly #following = new Map<string, Following>();
  readonly #failed = deferred<never>();

  constructor(options: SharedOptions, records: Map<string, TrackRecord>, signal: AbortSignal) {
    this.#options = options;
    this.#records = records;
    this.#stop = childController(signal);
    this.#last = childController(this.#stop.controller.signal);
    this.#failed.promise.catch(() => {});
  }

  /** Rejects when a track cannot be followed any more. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Of the catalog's tracks those that are wanted, and no others. */
  choose(catalog: Catalog, wanted: ReadonlySet<string>, stallMs: number): void {
    for (const [name, { stop }] of this.#following)
      if (!wanted.has(name)) {
        stop.abort();
        this.#following.delete(name);
        // What passes while it is not wanted is no gap.
        this.#records.delete(name);
      }
    for (const track of catalog.tracks) {
      if (!wanted.has(track.name) || this.#following.has(track.name)) continue;
      const own = childController(this.#stop.controller.signal);
      const record = this.#records.get(track.name) ?? new TrackRecord();
      this.#records.set(track.name, record);
      const done = followTrack({
        ...this.#options,
        track,
        record,
        stallMs,
        last: this.#last.controller.signal,
        stop: own.controller.signal,
      }).finally(own.release);
      done.catch(this.#failed.reject);
      this.#following.set(track.name, { stop: own.controller, done });
    }
  }

  /** Nothing new is asked for: what is on its way may still come. */
  finish(): void {
    this.#last.controller.abort();
  }

  /** Of each track, whether it was delivered to its end. Rejects as `failed` does. */
  ended(): Promise<boolean[]> {
    return Promise.race([Promise.all([...this.#following.values()].map(({ done }) => done)), this.failed]);
  }

  /** At once. */
  async close(): Promise<void> {
    // Before `last` is let go of: a track that waits for an answer or its next try hears of it by that alone.
    this.#stop.controller.abort();
    this.#last.release();
    this.#stop.release();
    await Promise.allSettled([...this.#following.values()].map(({ done }) => done));
  }
}
