export type Range = { readonly start: number; readonly end: number };

export type Playhead = {
  /** Seconds. */
  readonly time: number;
  /** Where every track has media, in order. */
  readonly buffered: readonly Range[];
  /** Seconds to stay behind the end of the buffer. */
  readonly targetSeconds: number;
  /** The element has nothing to play at `time`. */
  readonly starved: boolean;
};

export type Steering = { readonly seekTo?: number; readonly rate: number };

/** Further behind than this is not worth catching up with: seconds. */
const tooFarBehind = 3;
const slack = 0.15;

/** Where to jump, if anywhere, and how fast to play so that the live edge stays `targetSeconds` ahead. Pure. */
export function steer({ time, buffered, targetSeconds, starved }: Playhead): Steering {
  const last = buffered.at(-1);
  if (last === undefined) return { rate: 1 };
  const here = buffered.find(({ start, end }) => time >= start - 0.05 && time < end);
  if (here === undefined || (starved && here.end - time < 0.1)) {
    const next = buffered.find(({ start }) => start > time);
    if (next !== undefined) return { seekTo: Math.max(next.start + 0.001, edge(last, next, targetSeconds)), rate: 1 };
    // Ahead of everything there is by more than a hiccup: the media clock went back.
    if (here === undefined && time > last.end + 1) return { seekTo: edge(last, last, targetSeconds), rate: 1 };
    return { rate: 1 };
  }
  const ahead = last.end - time;
  if (ahead > tooFarBehind) return { seekTo: edge(last, last, targetSeconds), rate: 1 };
  const excess = ahead - targetSeconds;
  return { rate: excess > slack ? 1 + Math.min(0.1, Math.max(0.02, excess * 0.1)) : 1 };
}

/**
 * Where to begin, once there is enough to begin with: in the newest stretch that will do, as what came first may be a few frames
 * before a hole. undefined: not yet. Pure.
 */
export function beginning(buffered: readonly Range[], targetSeconds: number): number | undefined {
  const enough = Math.min(0.1, targetSeconds);
  const range = buffered.findLast(({ start, end }) => end - start >= enough);
  return range === undefined ? undefined : Math.max(range.start, range.end - targetSeconds);
}

function edge(last: Range, within: Range, targetSeconds: number): number {
  return within === last ? Math.max(last.start, last.end - targetSeconds) : within.start;
}

const smallestTarget = 0.2;
const largestTarget = 0.8;

/** The buffer to aim for: grows with each stall, shrinks slowly while all is well. Seconds. */
export class AdaptiveTarget {
  seconds = 0.3;

  stalled(): void {
    this.seconds = Math.min(largestTarget, this.seconds + 0.1);
  }

  /** `elapsed` seconds went by without a stall. */
  calm(elapsed: number): void {
    this.seconds = Math.max(smallestTarget, this.seconds - elapsed * 0.005);
  }
}
