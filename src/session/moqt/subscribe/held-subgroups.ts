import { streamResetCodes } from '../../../codec/moqt/codes.ts';
import type { SubgroupReader } from './incoming-subgroup.ts';

const maxStreams = 64;
const maxBytes = 4 * 1024 * 1024;
/**
 * Longer than an answer is overtaken by, with its loss and repetition. What is held is not read, so it takes of the connection's
 * flow control what the streams of all other tracks need, and some answers take as long as a publisher is waited for.
 */
const maxAgeMs = 3000;

type Held = {
  readonly alias: number;
  readonly subgroup: SubgroupReader | undefined;
  readonly bytes: number;
  readonly until: number;
};

/** Data streams that overtook their SUBSCRIBE_OK (draft-18 11.1, 11.4.2). Bounded, in time too: beyond, the oldest is stopped. */
export class HeldSubgroups {
  #held: Held[] = [];
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `bytes`: what was read of the stream so far; the rest waits in the transport. */
  add(alias: number, subgroup: SubgroupReader | undefined, bytes: number): void {
    this.#held.push({ alias, subgroup, bytes, until: performance.now() + maxAgeMs });
    this.#bytes += bytes;
    while (this.#held.length > maxStreams || this.#bytes > maxBytes) this.#drop(this.#held.shift()!);
    this.#timer ??= setTimeout(() => this.#expire(), maxAgeMs);
  }

  /** Those of one alias, in the order they came. */
  take(alias: number): (SubgroupReader | undefined)[] {
    if (this.#held.length === 0) return [];
    const taken = this.#held.filter((held) => held.alias === alias);
    this.#held = this.#held.filter((held) => held.alias !== alias);
    for (const { bytes } of taken) this.#bytes -= bytes;
    return taken.map(({ subgroup }) => subgroup);
  }

  /** Nobody is left who could own them. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const held of this.#held.splice(0)) this.#drop(held);
  }

  #expire(): void {
    const now = performance.now();
    while (this.#held.length > 0 && this.#held[0]!.until <= now) this.#drop(this.#held.shift()!);
    const [oldest] = this.#held;
    this.#timer = oldest && setTimeout(() => this.#expire(), oldest.until - now);
  }

  #drop(held: Held): void {
    this.#bytes -= held.bytes;
    held.subgroup?.stop(streamResetCodes.cancelled);
  }
}
