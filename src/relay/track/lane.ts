import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import { writeToMany } from '../../transport/fan-out.ts';
import type { SendStream } from '../../transport/transport.ts';

/** One viewer's stream of a subgroup. */
export interface Follower {
  readonly dialect: ObjectDialect;
  readonly stream: SendStream;
  /** The stream refused the object at `index`: it is no longer written to by `append`. */
  fellBehind(index: number): void;
  /** A follower that is behind has more to fetch, or the end of the subgroup. */
  grew(): void;
  /** The publisher finished the subgroup while the follower is behind. */
  subgroupComplete(): void;
  /** The subgroup ended while the follower had everything, or the end must not wait for it. */
  subgroupEnded(): void;
  /** What the follower still has to write may be gone. */
  trimmed(): void;
  /** The next object cannot be said in its dialect. */
  cannotBeSaid(): void;
}

/** The followers of a subgroup that speak one dialect and have everything so far: one write reaches them all. */
export class Lane {
  readonly dialect: ObjectDialect;
  readonly #followers: Follower[] = [];
  /** Same index as the followers. */
  readonly #streams: SendStream[] = [];
  readonly #refused: number[] = [];
  readonly #refuse = (index: number): void => {
    this.#refused.push(index);
  };

  constructor(dialect: ObjectDialect) {
    this.dialect = dialect;
  }

  get size(): number {
    return this.#streams.length;
  }

  add(follower: Follower): void {
    this.#followers.push(follower);
    this.#streams.push(follower.stream);
  }

  /** Writes to all. Those that refused are removed and answered; undefined when all took it. */
  write(bytes: Uint8Array): Follower[] | undefined {
    if (bytes.length === 0) return undefined;
    writeToMany(this.#streams, bytes, this.#refuse);
    if (this.#refused.length === 0) return undefined;
    // From the end, so that filling a hole with the last one never moves a refused one.
    const refused = this.#refused.splice(0).sort((a, b) => b - a);
    const followers = refused.map((index) => this.#followers[index]!);
    for (const index of refused) this.#removeAt(index);
    return followers;
  }

  remove(follower: Follower): void {
    const index = this.#followers.indexOf(follower);
    if (index >= 0) this.#removeAt(index);
  }

  /** Removes and answers all. */
  clear(): Follower[] {
    this.#streams.length = 0;
    return this.#followers.splice(0);
  }

  #removeAt(index: number): void {
    const follower = this.#followers.pop()!;
    const stream = this.#streams.pop()!;
    if (index === this.#followers.length) return;
    this.#followers[index] = follower;
    this.#streams[index] = stream;
  }
}
