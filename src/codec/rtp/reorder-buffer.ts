import type { RtpPacket } from './packet.ts';

/** A packet in its place; `afterLoss`: packets before it never came. */
export type OrderedPacket = { packet: RtpPacket; afterLoss: boolean };

export type ReorderOptions = {
  /** How long a missing packet is waited for, ms; up to three times as long until it was asked for `minRequests` times. */
  waitMs: number;
  /** Default 0. */
  minRequests?: number;
  /** Packets held at most. */
  maxPackets: number;
};

/** A jump of the sequence beyond it is a new stream, not a loss. */
const maxJump = 3000;
/** Retries of one missing packet, the first at once. */
const maxRequests = 12;
const longestRequest = 256;

/**
 * Puts packets of one source into the order of their sequence numbers and says what is missing. Pure: the clock (ms, any
 * origin, never back) comes with the calls. Holds at most `maxPackets` and never waits longer than `waitMs`.
 */
export class ReorderBuffer {
  readonly #options: ReorderOptions;
  /** Extended sequence number of the packet that is due. */
  #due: number | undefined;
  #highest = 0;
  readonly #held = new Map<number, RtpPacket>();
  readonly #missing = new Map<number, { since: number; asked: number; requests: number }>();
  #afterLoss = false;
  /** Packets that never came. */
  lost = 0;
  /** Packets that came when they were no longer wanted, or twice. */
  late = 0;

  constructor(options: ReorderOptions) {
    this.#options = options;
  }

  /** What is in order now. */
  push(packet: RtpPacket, now: number): OrderedPacket[] {
    if (this.#due === undefined) {
      this.#due = packet.sequence;
      this.#highest = packet.sequence - 1;
    }
    const distance = ((packet.sequence - this.#highest) << 16) >> 16;
    const at = this.#highest + distance;
    if (Math.abs(distance) > maxJump) return this.#restart(packet);
    if (at < this.#due || this.#held.has(at)) {
      this.late++;
      return [];
    }
    for (let gap = this.#highest + 1; gap < at; gap++) this.#missing.set(gap, { since: now, asked: 0, requests: 0 });
    this.#highest = Math.max(this.#highest, at);
    this.#missing.delete(at);
    this.#held.set(at, packet);
    if (this.#held.size > this.#options.maxPackets) this.#giveUp();
    return this.#take();
  }

  /** What becomes in order because the wait for something is over. */
  expire(now: number): OrderedPacket[] {
    const out: OrderedPacket[] = [];
    for (;;) {
      const due = this.#due === undefined ? undefined : this.#missing.get(this.#due);
      if (due === undefined || !this.#isOver(due, now)) return out;
      this.#giveUp();
      out.push(...this.#take());
    }
  }

  /** A process that stood still has not asked yet, and must not blame the line. */
  #isOver({ since, requests }: { since: number; requests: number }, now: number): boolean {
    const { waitMs, minRequests = 0 } = this.#options;
    return now - since >= (requests < minRequests ? 3 * waitMs : waitMs);
  }

  /** Sequence numbers to be asked for now, each again after `againMs`. */
  wanted(now: number, againMs: number): number[] {
    const found: number[] = [];
    for (const [at, entry] of this.#missing) {
      if (entry.requests > 0 && (entry.requests === maxRequests || now - entry.asked < againMs)) continue;
      entry.asked = now;
      entry.requests++;
      found.push(at & 0xffff);
      if (found.length === longestRequest) break;
    }
    return found;
  }

  /** The packet that is due is not waited for any more, nor others up to the next one that is here. */
  #giveUp(): void {
    while (this.#due! <= this.#highest && !this.#held.has(this.#due!)) {
      this.#missing.delete(this.#due!);
      this.#due!++;
      this.lost++;
      this.#afterLoss = true;
    }
  }

  #take(): OrderedPacket[] {
    const out: OrderedPacket[] = [];
    for (let packet = this.#held.get(this.#due!); packet !== undefined; packet = this.#held.get(this.#due!)) {
      this.#held.delete(this.#due!);
      this.#due!++;
      out.push({ packet, afterLoss: this.#afterLoss });
      this.#afterLoss = false;
    }
    return out;
  }

  #restart(packet: RtpPacket): OrderedPacket[] {
    this.#held.clear();
    this.#missing.clear();
    this.#due = packet.sequence + 1;
    this.#highest = packet.sequence;
    this.#afterLoss = false;
    return [{ packet, afterLoss: true }];
  }
}
