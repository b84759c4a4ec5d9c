/** Where the leading rendition began a segment. */
export type Cut = {
  readonly msn: number;
  /** The group it begins with; undefined when it was cut inside of one. */
  readonly groupId: number | undefined;
  /** Media time, seconds. */
  readonly at: number;
  readonly discontinuity: boolean;
  /** Added to media time gives the wall clock, ms. */
  readonly wallShift: number;
};

const maxCuts = 1024;

/** The segment borders of the leading rendition (video where there is one); the others cut theirs at the same places. */
export class Cuts {
  readonly #cuts: Cut[] = [];
  /** A follower began with another configuration: the leader is to mark its next group as a discontinuity too. */
  discontinuityWanted = false;

  add(cut: Cut): void {
    this.#cuts.push(cut);
    if (this.#cuts.length > maxCuts) this.#cuts.shift();
  }

  get last(): Cut | undefined {
    return this.#cuts.at(-1);
  }

  /** The newest cut that media of this group and time lies behind. */
  before(groupId: number, seconds: number): Cut | undefined {
    return this.#cuts.findLast((cut) => isBehind(cut, groupId, seconds));
  }

  /** The first cut after that of `msn` that media of this group and time lies behind. */
  following(msn: number, groupId: number, seconds: number): Cut | undefined {
    return this.#cuts.find((cut) => cut.msn > msn && isBehind(cut, groupId, seconds));
  }
}

function isBehind(cut: Cut, groupId: number, seconds: number): boolean {
  return cut.groupId === undefined ? seconds >= cut.at : groupId >= cut.groupId;
}
