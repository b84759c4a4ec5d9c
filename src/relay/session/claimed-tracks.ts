import type { TrackName } from '../../session/types.ts';
import { namespaceKey } from '../upstream/namespace-publisher.ts';

/** The tracks that one session has subscribed to or waits for. */
export class ClaimedTracks {
  readonly #byTrack = new Map<string, number>();
  #all = 0;

  /** Takes one of `most`; the answer gives it back. `another`: it may stand beside others of the track. */
  claim(track: TrackName, most: number, another = false): 'taken' | 'full' | (() => void) {
    const key = namespaceKey([...track.namespace, track.name]);
    const ofTrack = this.#byTrack.get(key) ?? 0;
    if (ofTrack > 0 && !another) return 'taken';
    if (this.#all >= most) return 'full';
    this.#all++;
    this.#byTrack.set(key, ofTrack + 1);
    return () => {
      this.#all--;
      const left = this.#byTrack.get(key)! - 1;
      if (left > 0) this.#byTrack.set(key, left);
      else this.#byTrack.delete(key);
    };
  }
}
