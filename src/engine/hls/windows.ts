import type { Broadcast } from '../broadcast.ts';
import { HlsWindow } from './window.ts';

export type HlsWindowsOptions = {
  /** The broadcast of an input that is live. */
  readonly live: (inputId: string) => Broadcast | undefined;
  /** How far playlists go back; at least, and by default, 12. */
  readonly seconds?: number;
  /** A window nobody asks a playlist of for so long is given up. Default 30 000. */
  readonly idleMs?: number;
};

/** Six target durations. */
const minSeconds = 12;
/** Of one rendition: bounds a long window. */
const maxBytes = 256 << 20;
const sweepMs = 1000;

type Entry = { window: HlsWindow; askedAt: number };

/** The windows somebody watches: a broadcast costs nothing here until its first playlist is asked for. */
export class HlsWindows {
  readonly #options: HlsWindowsOptions;
  readonly #entries = new Map<string, Entry>();
  /** First free media sequence number of windows that were given up. */
  readonly #nextMsn = new Map<string, number>();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: HlsWindowsOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => this.#giveUpIdle(), Math.min(sweepMs, options.idleMs ?? sweepMs));
    this.#sweep.unref();
  }

  get size(): number {
    return this.#entries.size;
  }

  /**
   * For a playlist of a track ('' is the one of all): begins to follow the broadcast when nobody did. undefined: not live;
   * those of tracks are answered for a while after that, so that players hear of the end.
   */
  ask(inputId: string, trackName: string): HlsWindow | undefined {
    const window = this.#ask(inputId, trackName !== '');
    if (trackName !== '') window?.want(trackName);
    return window;
  }

  #ask(inputId: string, reload: boolean): HlsWindow | undefined {
    const broadcast = this.#options.live(inputId);
    const known = this.#entries.get(inputId);
    if (known !== undefined && (broadcast === undefined ? reload : known.window.broadcast === broadcast)) {
      known.askedAt = performance.now();
      known.window.sync();
      return known.window;
    }
    if (broadcast === undefined) return undefined;
    if (known !== undefined) this.#giveUp(inputId);
    const limits = { seconds: Math.max(minSeconds, this.#options.seconds ?? 0), bytes: maxBytes };
    const window = new HlsWindow(broadcast, limits, this.#nextMsn.get(inputId) ?? 0);
    this.#entries.set(inputId, { window, askedAt: performance.now() });
    return window;
  }

  /** For media that a playlist named. */
  find(inputId: string): HlsWindow | undefined {
    return this.#entries.get(inputId)?.window;
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const inputId of [...this.#entries.keys()]) this.#giveUp(inputId);
  }

  #giveUp(inputId: string): void {
    const { window } = this.#entries.get(inputId)!;
    this.#entries.delete(inputId);
    this.#nextMsn.delete(inputId);
    this.#nextMsn.set(inputId, window.nextMsn);
    for (const oldest of this.#nextMsn.keys()) {
      if (this.#nextMsn.size <= 1024) break;
      this.#nextMsn.delete(oldest);
    }
    window.close();
  }

  #giveUpIdle(): void {
    const since = performance.now() - (this.#options.idleMs ?? 30_000);
    for (const [inputId, { askedAt, window }] of this.#entries)
      if (askedAt < since) this.#giveUp(inputId);
      else window.giveUp(since);
  }
}
