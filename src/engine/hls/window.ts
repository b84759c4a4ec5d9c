import type { TrackStore } from '../../broadcast/track-store.ts';
import { type CatalogTrack, catalogTrackName } from '../../codec/catalog/streams-catalog.ts';
import type { Broadcast } from '../broadcast.ts';
import { Cuts } from './cuts.ts';
import { Rendition, type WindowLimits } from './rendition.ts';

/** What parts are to last, seconds. */
const partGoal = 0.2;
/** Longest that a request waits for a broadcast that has begun to have something to list. */
const maxStartMs = 5000;

/** A track of the broadcast; without `rendition` it is one that is made on demand, and nobody has asked for it lately. */
export type Offer = { readonly description: CatalogTrack; readonly rendition: Rendition | undefined };

/**
 * One broadcast as HLS. It follows the tracks of the source from its making to `close`, and those that are made on demand while
 * their playlists are asked for.
 */
export class HlsWindow {
  readonly broadcast: Broadcast;
  readonly renditions = new Map<string, Rendition>();
  /** Longest part of every rendition, seconds; 0 until there is one. */
  partTarget = 0;
  /** Goes up with every part, segment, rendition and end. */
  version = 0;
  readonly #limits: WindowLimits;
  readonly #minMsn: number;
  readonly #cuts = new Cuts();
  readonly #waiting = new Set<() => void>();
  /** Of tracks made on demand: when their playlist was last asked for. */
  readonly #askedAt = new Map<string, number>();
  readonly #nextParts = new Map<string, number>();
  #closed = false;

  /** Media sequence numbers begin at `minMsn` or higher. */
  constructor(broadcast: Broadcast, limits: WindowLimits, minMsn: number) {
    this.broadcast = broadcast;
    this.#limits = limits;
    this.#minMsn = minMsn;
    broadcast.find(catalogTrackName, (track) => {
      if (track === undefined || this.#closed) return;
      this.sync();
      this.#changed();
    });
  }

  /** Takes up the tracks that the catalog has gained. */
  sync(): void {
    if (this.#closed) return;
    const tracks = this.broadcast.catalog?.tracks ?? [];
    // Video leads; the others find its borders there.
    const ordered = [...tracks].sort((a, b) => Number(a.kind === 'audio') - Number(b.kind === 'audio'));
    for (const description of ordered) {
      const known = this.renditions.get(description.name);
      if (known !== undefined) known.description = description;
      else
        this.broadcast.find(description.name, (track) => {
          if (track !== undefined && (!track.onDemand || this.#askedAt.has(track.name)))
            this.#follow(description, track);
        });
    }
  }

  /** A playlist of this track is asked for: one that is made on demand is followed from now on. */
  want(trackName: string): void {
    this.broadcast.find(trackName, (track) => {
      if (track?.onDemand !== true) return;
      this.#askedAt.set(trackName, performance.now());
      this.sync();
    });
  }

  /** Lets go of the tracks made on demand that nobody has asked for since then (performance.now). */
  giveUp(since: number): void {
    for (const [name, askedAt] of this.#askedAt) {
      if (askedAt >= since) continue;
      const rendition = this.renditions.get(name);
      this.#askedAt.delete(name);
      this.renditions.delete(name);
      rendition?.close();
      if (rendition !== undefined) this.#nextParts.set(name, rendition.hintedPart + 1);
    }
  }

  /** What a player may choose from, in the order of the catalog. */
  get offers(): Offer[] {
    const tracks = this.broadcast.catalog?.tracks ?? [];
    return tracks.map((description) => ({ description, rendition: this.renditions.get(description.name) }));
  }

  /** The source has a whole segment of each track, and so has the track asked for. */
  ready(trackName = ''): boolean {
    const needed = [...this.renditions].filter(([name]) => name === trackName || !this.#askedAt.has(name));
    return needed.length > 0 && needed.every(([, { segments }]) => segments.length > 0);
  }

  /** The number after the highest given out. */
  get nextMsn(): number {
    return Math.max(this.#minMsn, ...[...this.renditions.values()].map(({ nextMsn }) => nextMsn));
  }

  /** Resolves with true once `condition` holds, with false after `ms`, when the signal aborts, or at the close. */
  async until(condition: () => boolean, ms: number, signal: AbortSignal): Promise<boolean> {
    // Not AbortSignal.any and timeout: Node 20 may collect them before they fire.
    const giveUpAt = performance.now() + ms;
    while (!condition()) {
      const leftMs = giveUpAt - performance.now();
      if (leftMs <= 0 || signal.aborted || this.#closed) return false;
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const timer = setTimeout(wake, Math.ceil(leftMs));
        this.#waiting.add(wake);
        signal.addEventListener('abort', wake);
      });
    }
    return true;
  }

  /** Waits for the first segments, that of the named track among them. */
  started(signal: AbortSignal, trackName?: string): Promise<boolean> {
    return this.until(() => this.ready(trackName), maxStartMs, signal);
  }

  close(): void {
    this.#closed = true;
    for (const rendition of this.renditions.values()) rendition.close();
    this.#changed();
  }

  #follow(description: CatalogTrack, track: TrackStore): void {
    if (this.#closed) return;
    if (this.partTarget === 0) this.partTarget = partTargetOf(description);
    const leads = this.renditions.size === 0;
    const rendition = new Rendition(track, {
      description,
      cuts: this.#cuts,
      leads,
      partTarget: this.partTarget,
      limits: this.#limits,
      minMsn: this.#minMsn,
      minPart: this.#nextParts.get(description.name) ?? 0,
      restarts: () => this.broadcast.restarts,
      changed: () => this.#changed(),
    });
    this.renditions.set(description.name, rendition);
  }

  #changed(): void {
    this.version++;
    for (const wake of [...this.#waiting]) wake();
  }
}

/** A whole number of frames, near the goal, and a little more for frames that are not all of one length. */
function partTargetOf({ framerate, sampleRate }: CatalogTrack): number {
  const frame =
    framerate !== undefined && framerate > 0 ? 1 / framerate : sampleRate === undefined ? 1 / 30 : 1024 / sampleRate;
  const frames = Math.max(1, Math.round(partGoal / frame));
  return Math.ceil(frames * frame * 1050) / 1000;
}
