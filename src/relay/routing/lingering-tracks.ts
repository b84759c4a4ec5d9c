import type { SessionTally } from '../reports/session-tally.ts';
import type { RelayTrack } from '../track/track.ts';

type Lingering = { readonly of: Set<RelayTrack> | undefined; readonly timer: NodeJS.Timeout; over(): void };

/**
 * Tracks that nobody watches any more, and that are still subscribed upstream in case somebody comes back. One session can keep only so
 * many alive by coming and going: beyond that its oldest goes at once.
 */
export class LingeringTracks {
  readonly #lingering = new Map<RelayTrack, Lingering>();
  readonly #bySession = new WeakMap<SessionTally, Set<RelayTrack>>();
  readonly #limits: { readonly subscriptionLingerMs: number; readonly maxLingeringTracksPerSession: number };

  constructor(limits: { readonly subscriptionLingerMs: number; readonly maxLingeringTracksPerSession: number }) {
    this.#limits = limits;
  }

  /** `by`: the session that left it last; `over`: called when its time is up, or its session left too many others after it. */
  begin(track: RelayTrack, by: SessionTally, over: () => void): void {
    this.end(track);
    // Another relay of the cluster comes and goes for all its viewers.
    const of = by.kept.isShared ? undefined : this.#tracksOf(by);
    of?.add(track);
    const timer = setTimeout(() => this.#expire(track), this.#limits.subscriptionLingerMs);
    this.#lingering.set(track, { of, timer, over });
    if (of === undefined || of.size <= this.#limits.maxLingeringTracksPerSession) return;
    for (const oldest of of) {
      this.#expire(oldest);
      return;
    }
  }

  /** It is watched again, or gone. */
  end(track: RelayTrack): void {
    const lingering = this.#lingering.get(track);
    if (lingering === undefined) return;
    clearTimeout(lingering.timer);
    lingering.of?.delete(track);
    this.#lingering.delete(track);
  }

  #expire(track: RelayTrack): void {
    const lingering = this.#lingering.get(track);
    this.end(track);
    lingering?.over();
  }

  #tracksOf(session: SessionTally): Set<RelayTrack> {
    let tracks = this.#bySession.get(session);
    if (tracks === undefined) {
      tracks = new Set();
      this.#bySession.set(session, tracks);
    }
    return tracks;
  }
}
