import { parseFragment } from '../../src/codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../src/codec/cmaf/init-segment.ts';
import { mergeInits } from '../../src/codec/cmaf/merge-inits.ts';
import { retimeFragment } from '../../src/codec/cmaf/retime.ts';
import { bytesEqual } from '../../src/core/bytes.ts';

type Track = {
  init: Uint8Array;
  timescale: number;
  /** In the file. */
  trackId: number;
  /** Fragments that came before the header was written. */
  early: Uint8Array[];
  /** Decode time of the last fragment in the file, and where it ends, seconds. */
  at: number;
  end: number;
  /** The configuration changed: one header cannot describe both, so the rest of the track is left out. */
  over: boolean;
};

/** After this many fragments the file starts without the tracks that have not shown up. */
const patience = 150;

/**
 * Objects of a live broadcast into a fragmented MP4: one header for all tracks, then every fragment in the order of its
 * arrival, on one time line that starts at 0 and never goes back. Every prefix that `write` was given is playable.
 */
export class Mp4Recorder {
  readonly #write: (bytes: Uint8Array) => void;
  readonly #onChange: (track: string) => void;
  readonly #tracks = new Map<string, Track>();
  #wanted: readonly string[] = [];
  #started = false;
  #waited = 0;
  #sequence = 0;
  /** Media time that is 0 in the file, seconds. */
  #base = 0;

  /** `onChange`: the configuration of a track changed and the rest of it is left out. */
  constructor(write: (bytes: Uint8Array) => void, onChange: (track: string) => void) {
    this.#write = write;
    this.#onChange = onChange;
  }

  /** The header was written. */
  get started(): boolean {
    return this.#started;
  }

  /** Tracks to wait for before the header is written. */
  expect(tracks: readonly string[]): void {
    if (!this.#started) this.#wanted = tracks;
  }

  /** ftyp+moov of a track. Throws MALFORMED. */
  init(name: string, bytes: Uint8Array): void {
    const track = this.#tracks.get(name);
    if (track === undefined) {
      if (this.#started) return;
      const parsed = parseInitSegment(bytes)[0];
      if (parsed === undefined) return;
      const init = bytes.slice();
      this.#tracks.set(name, { init, timescale: parsed.timescale, trackId: 0, early: [], at: 0, end: 0, over: false });
    } else if (!track.over && !bytesEqual(track.init, bytes)) {
      track.over = true;
      this.#onChange(name);
    }
  }

  /** moof+mdat of a track. Throws MALFORMED. */
  fragment(name: string, bytes: Uint8Array): void {
    const track = this.#tracks.get(name);
    if (track === undefined || track.over) return;
    if (this.#started) {
      this.#append(track, bytes);
      return;
    }
    track.early.push(bytes);
    this.#waited++;
    const complete = this.#wanted.every((wanted) => (this.#tracks.get(wanted)?.early.length ?? 0) > 0);
    if (complete || this.#waited >= patience) this.#start();
  }

  /** Writes what waits for a track that never came. */
  finish(): void {
    if (!this.#started && this.#waited > 0) this.#start();
  }

  #start(): void {
    this.#started = true;
    for (const [name, { early }] of this.#tracks) if (early.length === 0) this.#tracks.delete(name);
    const tracks = [...this.#tracks.values()];
    const { bytes, trackIds } = mergeInits(tracks.map(({ init }) => init));
    this.#base = Math.min(...tracks.map(({ early, timescale }) => timesOf(early[0]!, timescale).start));
    this.#write(bytes);
    for (const [index, track] of tracks.entries()) {
      track.trackId = trackIds[index]!;
      for (const early of track.early) this.#append(track, early);
      track.early = [];
    }
  }

  #append(track: Track, bytes: Uint8Array): void {
    const { start, duration } = timesOf(bytes, track.timescale);
    if (start - this.#base < track.at) {
      // The encoder (or the engine) began a new time line: it goes on where the longest track ends.
      this.#base = start - Math.max(...[...this.#tracks.values()].map(({ end }) => end));
    }
    track.at = start - this.#base;
    track.end = track.at + duration;
    this.#sequence++;
    this.#write(
      retimeFragment(bytes, {
        offset: -Math.round(this.#base * track.timescale),
        trackId: track.trackId,
        sequence: this.#sequence,
      }),
    );
  }
}

/** Decode time and duration, seconds. */
function timesOf(bytes: Uint8Array, timescale: number): { start: number; duration: number } {
  const fragment = parseFragment(bytes).tracks[0];
  const ticks = fragment?.samples.reduce((sum, sample) => sum + sample.duration, 0) ?? 0;
  return { start: (fragment?.baseMediaDecodeTime ?? 0) / timescale, duration: ticks / timescale };
}
