import { type LossRange, lossRanges } from '../../../codec/srt/loss-list.ts';
import { addSequence, sequenceDistance } from '../../../codec/srt/sequence.ts';

/** `due`: when it is to be delivered, ms on the connection's clock. `arrivedAt`: ms since the Unix epoch. */
export type Packet = { due: number; payload: Uint8Array; arrivedAt: number };

export type Insertion =
  /** `lost`: packets before it that are missing now. */
  { kind: 'taken'; lost?: LossRange } | { kind: 'duplicate' | 'late' | 'beyond' };

/**
 * Packets between arrival and delivery, in a ring. Delivers in order, each at its time; one that is still missing when the
 * next after it is due is given up (draft-sharabayko-srt-01 sections 4.5, 4.6). Pure: no clock.
 */
export class ReceiveBuffer {
  readonly #slots: (Packet | undefined)[];
  /** The next to deliver, and the one after the newest that came. */
  #next: number;
  #end: number;
  /** Missing packets, oldest first: they are added at the end only. */
  readonly #missing = new Set<number>();

  constructor(initialSequence: number, capacity: number) {
    this.#slots = new Array(capacity).fill(undefined);
    this.#next = initialSequence;
    this.#end = initialSequence;
  }

  /** The first packet that is not there: what an ACK says. */
  get acknowledged(): number {
    for (const first of this.#missing) return first;
    return this.#end;
  }

  /** Free places. */
  get available(): number {
    return this.#slots.length - sequenceDistance(this.#next, this.#end);
  }

  get missing(): LossRange[] {
    return lossRanges(this.#missing);
  }

  insert(sequence: number, packet: Packet): Insertion {
    const place = sequenceDistance(this.#next, sequence);
    if (place < 0) return { kind: 'late' };
    if (place >= this.#slots.length) return { kind: 'beyond' };
    const ahead = sequenceDistance(this.#end, sequence);
    if (ahead < 0) {
      const index = this.#index(sequence);
      if (this.#slots[index] !== undefined) return { kind: 'duplicate' };
      this.#slots[index] = packet;
      this.#missing.delete(sequence);
      return { kind: 'taken' };
    }
    const first = this.#end;
    for (let i = 0; i < ahead; i++) this.#missing.add(addSequence(first, i));
    this.#slots[this.#index(sequence)] = packet;
    this.#end = addSequence(sequence, 1);
    return ahead === 0 ? { kind: 'taken' } : { kind: 'taken', lost: { first, last: addSequence(sequence, -1) } };
  }

  /**
   * Begins anew at a sequence further on than the ring holds: what came before and was not delivered yet is given up with all that
   * never came. Returns how many packets that is.
   */
  restart(sequence: number): number {
    const given = sequenceDistance(this.#next, sequence);
    this.#slots.fill(undefined);
    this.#missing.clear();
    this.#next = sequence;
    this.#end = sequence;
    return given;
  }

  /** The sender will not send these again. */
  giveUp(first: number, last: number): void {
    for (const sequence of this.#missing)
      if (sequenceDistance(first, sequence) >= 0 && sequenceDistance(sequence, last) >= 0)
        this.#missing.delete(sequence);
    const joins = sequenceDistance(first, this.#end) >= 0 && sequenceDistance(this.#end, last) >= 0;
    if (joins && sequenceDistance(this.#next, last) < this.#slots.length) this.#end = addSequence(last, 1);
  }

  /**
   * The next packet when its time has come, with the number of those given up before it. `mayGiveUp` false: stops at what is
   * missing, however late.
   */
  take(now: number, mayGiveUp = true): { packet: Packet; givenUp: number } | undefined {
    let gap = 0;
    const length = sequenceDistance(this.#next, this.#end);
    while (gap < length && this.#slots[this.#index(addSequence(this.#next, gap))] === undefined) gap++;
    if (gap === length || (gap > 0 && !mayGiveUp)) return undefined;
    const sequence = addSequence(this.#next, gap);
    const index = this.#index(sequence);
    const packet = this.#slots[index]!;
    if (packet.due > now) return undefined;
    for (let i = 0; i < gap; i++) this.#missing.delete(addSequence(this.#next, i));
    this.#slots[index] = undefined;
    this.#next = addSequence(sequence, 1);
    return { packet, givenUp: gap };
  }

  /** 2^31 is a multiple of any power of two, so that the ring and the sequence wrap together. */
  #index(sequence: number): number {
    return sequence % this.#slots.length;
  }
}
