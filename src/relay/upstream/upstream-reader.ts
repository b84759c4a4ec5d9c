import { setImmediate } from 'node:timers/promises';
import { streamResetCodes } from '../../codec/moqt/codes.ts';
import { rethrowLater } from '../../core/fault.ts';
import type { IncomingSubgroup, MoqObject, SubgroupHeader, Subscription } from '../../session/types.ts';
import { StreamResetError } from '../../transport/stream-reset-error.ts';
import type { CachedSubgroup } from '../track/subgroup.ts';
import type { RelayTrack } from '../track/track.ts';
import type { NamespacePublisher } from './namespace-publisher.ts';

const objectsPerTurn = 256;

/** Reads one upstream subscription into its track. */
export class UpstreamReader {
  /** Resolves when every stream of the subscription has ended; never rejects. */
  readonly done: Promise<void>;
  readonly #track: RelayTrack;
  readonly #subscription: Subscription;
  readonly #publisher: Pick<NamespacePublisher, 'dialect' | 'tally'>;
  /** `undefined`: not shown yet. */
  readonly #open = new Map<IncomingSubgroup, CachedSubgroup | undefined>();
  readonly #reading = new Set<Promise<void>>();
  #objects = 0;
  #stopped = false;

  constructor(track: RelayTrack, subscription: Subscription, publisher: Pick<NamespacePublisher, 'dialect' | 'tally'>) {
    this.#track = track;
    this.#subscription = subscription;
    this.#publisher = publisher;
    this.done = Promise.all([this.#run(), this.#runDatagrams()]).then(() => {}, rethrowLater);
  }

  /** No more is wanted: what is half here will not be whole. */
  stop(): void {
    this.#stopped = true;
    this.#subscription.unsubscribe();
    for (const [incoming, subgroup] of this.#open) {
      incoming.stop(streamResetCodes.cancelled);
      subgroup?.abort(streamResetCodes.cancelled);
    }
    this.#open.clear();
  }

  async #run(): Promise<void> {
    for (;;) {
      const incoming = await this.#subscription.nextSubgroup();
      if (incoming === null) break;
      const reading: Promise<void> = this.#read(incoming).finally(() => this.#reading.delete(reading));
      this.#reading.add(reading);
    }
    await Promise.all(this.#reading);
  }

  async #runDatagrams(): Promise<void> {
    for (;;) {
      const datagram = await this.#subscription.nextDatagram();
      if (datagram === null || this.#stopped) return;
      if (!this.#publisher.tally.received()) return;
      this.#track.appendDatagram(datagram, this.#publisher.tally.kept);
      if (this.#isTurnOver()) await setImmediate();
    }
  }

  async #read(incoming: IncomingSubgroup): Promise<void> {
    let subgroup: CachedSubgroup | undefined;
    this.#open.set(incoming, undefined);
    try {
      const early = await this.#readUndecided(incoming);
      if (early[0] === null) return;
      subgroup = this.#stopped ? undefined : this.#openSubgroup(incoming);
      if (subgroup === undefined) {
        incoming.stop(streamResetCodes.cancelled);
        return;
      }
      this.#open.set(incoming, subgroup);
      for (;;) {
        const object = early.length > 0 ? early.shift()! : await incoming.next();
        if (this.#stopped) return;
        if (object === null) {
          subgroup.finish();
          return;
        }
        if (!this.#publisher.tally.received() || !this.#track.append(subgroup, object)) {
          incoming.stop(streamResetCodes.cancelled);
          return;
        }
        if (this.#isTurnOver()) await setImmediate();
      }
    } catch (error) {
      incoming.stop(streamResetCodes.cancelled);
      subgroup?.abort(error instanceof StreamResetError ? error.resetCode : streamResetCodes.cancelled);
    } finally {
      this.#open.delete(incoming);
    }
  }

  #openSubgroup(incoming: IncomingSubgroup): CachedSubgroup | undefined {
    const { dialect, tally } = this.#publisher;
    return this.#track.openSubgroup(headerOf(incoming), dialect, tally.kept);
  }

  /** What waits to be read is read in turns, with everything else in between. */
  #isTurnOver(): boolean {
    return ++this.#objects % objectsPerTurn === 0;
  }

  /** Of a publisher that took over: what comes before it is known where it belongs. */
  async #readUndecided(incoming: IncomingSubgroup): Promise<(MoqObject | null)[]> {
    const early: (MoqObject | null)[] = [];
    while (this.#track.isUndecided && !this.#stopped && early.at(-1) !== null) {
      const object = await incoming.next();
      early.push(object === null ? null : this.#track.consider(incoming.groupId, object));
    }
    return early;
  }
}

/** A plain copy: the stream itself must not live as long as the cache. */
function headerOf(incoming: IncomingSubgroup): SubgroupHeader {
  return {
    groupId: incoming.groupId,
    subgroupId: incoming.subgroupId,
    priority: incoming.priority,
    endOfGroup: incoming.endOfGroup,
    properties: incoming.properties === true,
    firstObject: incoming.firstObject === true,
  };
}
