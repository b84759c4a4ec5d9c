import { type CatalogTrack, catalogTrackName } from '../../codec/catalog/streams-catalog.ts';
import type { TrackStore } from '../../session/track-store.ts';
import type { Broadcast } from '../broadcast.ts';
import { Cuts } from './cuts.ts';
import { Rendition, type WindowLimits } from './rendition.ts';

/** What parts are to last, seconds. */
const partGoal = 0.2;
/** Longest that a request waits for a broadcast that has begun to have something to list. */
const maxStartMs = 5000;

/** One broadcast as HLS. It follows the broadcast's tracks from its making to `close`. */
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
      else this.broadcast.find(description.name, (track) => track !== undefined && this.#follow(description, track));
    }
  }

  /** Every rendition has a whole segment. */
  get ready(): boolean {
    return this.renditions.size > 0 && [...this.renditions.values()].every(({ segments }) => segments.length > 0);
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

  /** Waits for the first segments. */
  started(signal: AbortSignal): Promise<boolean> {
    return this.until(() => this.ready, maxStartMs, signal);
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
