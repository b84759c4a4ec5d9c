import type { SubgroupWriter } from '../session/types.ts';
import type { StoredGroup } from './track-store.ts';

/** One group on its way to one subscription: what of it the network has, and how long the rest has waited. Times in ms. */
export class Sending {
  readonly group: StoredGroup;
  readonly writer: SubgroupWriter;
  /** First object that its stream has not taken. */
  next: number;
  waiting = false;
  /** In a row, of a stream that had nothing queued. */
  refusals = 0;
  /** All of it is with the stream; the peer need not have it yet. */
  finished = false;
  /** When there was a newer group, and this one was still under way. */
  lateSince: number | undefined;
  /** When each object came, from `#first` on; the same objects are those that the network may not have. */
  readonly #cameAt: number[] = [];
  #first: number;

  constructor(group: StoredGroup, writer: SubgroupWriter, next: number) {
    this.group = group;
    this.writer = writer;
    this.next = next;
    this.#first = next;
  }

  /** To be called when objects may have come; returns how many did. */
  note(now: number): number {
    const known = this.#first + this.#cameAt.length;
    const { length } = this.group.objects;
    for (let i = known; i < length; i++) this.#cameAt.push(now);
    return length - known;
  }

  /** Bytes that the stream has not taken. */
  get waitingBytes(): number {
    let bytes = 0;
    for (let i = this.next; i < this.group.objects.length; i++) bytes += this.group.objects[i]!.length;
    return bytes;
  }

  /** Objects of which something waits. Those that the stream has taken are told from those that the network has by their size. */
  get waitingObjects(): number {
    let queued = this.writer.stream.queuedBytes;
    let first = this.next;
    for (; first > this.#first && queued > 0; first--) queued -= this.group.objects[first - 1]!.length;
    return this.group.objects.length - first;
  }

  /** How long the oldest object of which something waits has waited. */
  waitedMs(now: number): number {
    const first = this.group.objects.length - this.waitingObjects;
    this.#cameAt.splice(0, first - this.#first);
    this.#first = first;
    const cameAt = this.#cameAt[0];
    return cameAt === undefined ? 0 : now - cameAt;
  }
}
