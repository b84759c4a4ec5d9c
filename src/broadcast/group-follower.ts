import { streamResetCodes } from '../codec/moqt/codes.ts';
import type { IncomingSubgroup, MoqObject, Subscription } from '../session/types.ts';
import { StreamResetError } from '../transport/stream-reset-error.ts';

/** Where delivery of a track stands; it outlives subscriptions, so that a new one never goes back. `left`: nothing more of that group. */
export type TrackPosition = { readonly group: number; readonly nextObject: number; readonly left: boolean };

export type FollowOptions = {
  subscription: Subscription;
  /** Of an earlier subscription to the same track. */
  position: TrackPosition | undefined;
  /** A group that delivers nothing for this long, while a newer one is there, is given up; Infinity: never. */
  stallMs: number;
  onObject(groupId: number, object: MoqObject): void;
  onGap(fromGroup: number, toGroup: number, reason: 'stalled' | 'reset' | 'missing' | 'reconnected'): void;
};

/** A publisher that starts anew counts from 0 again; a relay that lags is behind by less than this. */
const restartDistance = 3;
/** Trickling but never catching up is a stall too. */
const maxGroupsAhead = 4;
/** Objects of a group that came before the ones they follow. */
const maxHeldObjects = 512;

type Group = {
  readonly id: number;
  readonly subgroups: Set<IncomingSubgroup>;
  readonly held: Map<number, MoqObject>;
  nextObject: number;
  openStreams: number;
  endSeen: boolean;
  abandoned: boolean;
};

/**
 * Puts the objects of one subscription in order: by group, in a group by object id without holes, never back to an older
 * group. Streams are read only while their group is current, so what a slow reader leaves stays with the relay.
 */
export class GroupFollower {
  readonly #options: FollowOptions;
  readonly #groups = new Map<number, Group>();
  #current: Group | undefined;
  #position: TrackPosition | undefined;
  #resumed: boolean;
  #stallTimer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;
  #drained: (() => void) | undefined;
  #noMoreGroups = false;

  constructor(options: FollowOptions) {
    this.#options = options;
    this.#position = options.position;
    this.#resumed = options.position !== undefined;
  }

  get position(): TrackPosition | undefined {
    return this.#position;
  }

  /** Resolves when the subscription has ended and everything of it was delivered or given up; never rejects. */
  async run(): Promise<void> {
    const { subscription } = this.#options;
    const largest = subscription.largest;
    if (this.#position !== undefined && largest !== undefined) this.#noticeRestart(largest.group);
    for (let next = await subscription.nextSubgroup(); next !== null; next = await subscription.nextSubgroup()) {
      if (this.#stopped) next.stop(streamResetCodes.cancelled);
      else this.#take(next);
    }
    if (this.#stopped) return;
    // A lost session is taken up again where it stood; a publisher that ended leaves what it had finished.
    if ((await subscription.done).by !== 'publisher') {
      // Its streams are gone with it: there is nobody to tell.
      for (const group of this.#groups.values()) group.subgroups.clear();
      return this.stop();
    }
    this.#noMoreGroups = true;
    if (this.#current === undefined || this.#isFinished(this.#current)) this.#advance(false);
    if (this.#groups.size > 0 && !this.#stopped)
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
        this.#watchStall();
      });
  }

  /** Nothing is delivered from here on. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#stallTimer);
    for (const group of this.#groups.values()) this.#abandon(group);
    this.#drained?.();
  }

  #noticeRestart(group: number): void {
    if (this.#position !== undefined && group + restartDistance <= this.#position.group) this.#position = undefined;
  }

  #take(subgroup: IncomingSubgroup): void {
    if (this.#resumed && this.#current === undefined) this.#noticeRestart(subgroup.groupId);
    const position = this.#position;
    const floor = position?.group ?? -1;
    if (subgroup.groupId < floor || (subgroup.groupId === floor && position?.left)) {
      subgroup.stop(streamResetCodes.cancelled);
      return;
    }
    let group = this.#groups.get(subgroup.groupId);
    if (group === undefined) {
      const nextObject = subgroup.groupId === floor ? (position?.nextObject ?? 0) : 0;
      group = {
        id: subgroup.groupId,
        subgroups: new Set(),
        held: new Map(),
        nextObject,
        openStreams: 0,
        endSeen: false,
        abandoned: false,
      };
      this.#groups.set(group.id, group);
    }
    group.subgroups.add(subgroup);
    group.openStreams++;
    if (this.#current === undefined) this.#enter(group);
    else if (group === this.#current) void this.#read(group, subgroup);
    else if (this.#isFinished(this.#current)) this.#advance(false);
    else if (this.#options.stallMs !== Number.POSITIVE_INFINITY && this.#groups.size > maxGroupsAhead)
      this.#skip('stalled', true);
    else this.#watchStall();
  }

  #enter(group: Group): void {
    const from = this.#position;
    if (from !== undefined && group.id > from.group + 1) {
      this.#options.onGap(from.group + 1, group.id - 1, this.#resumed ? 'reconnected' : 'missing');
    }
    this.#resumed = false;
    this.#current = group;
    this.#position = { group: group.id, nextObject: group.nextObject, left: false };
    for (const subgroup of [...group.subgroups]) void this.#read(group, subgroup);
    this.#watchStall();
  }

  async #read(group: Group, subgroup: IncomingSubgroup): Promise<void> {
    try {
      for (let object = await subgroup.next(); object !== null; object = await subgroup.next()) {
        if (group.abandoned) return;
        this.#place(group, object);
      }
      if (subgroup.endOfGroup) group.endSeen = true;
    } catch (error) {
      if (group.abandoned) return;
      if (error instanceof StreamResetError) this.#skip('reset', false);
      else if (this.#noMoreGroups) this.stop();
      return;
    }
    if (group.abandoned) return;
    group.subgroups.delete(subgroup);
    group.openStreams--;
    if (group === this.#current && this.#isFinished(group) && (this.#groups.size > 1 || this.#noMoreGroups))
      this.#advance(false);
  }

  #place(group: Group, object: MoqObject): void {
    if (object.status !== 'normal') {
      group.endSeen = true;
      return;
    }
    if (object.objectId < group.nextObject) return;
    if (object.objectId > group.nextObject) {
      group.held.set(object.objectId, object);
      if (group.held.size > maxHeldObjects) this.#skip('missing', false);
      return;
    }
    this.#deliver(group, object);
    for (let next = group.held.get(group.nextObject); next !== undefined; next = group.held.get(group.nextObject)) {
      group.held.delete(next.objectId);
      this.#deliver(group, next);
    }
    this.#watchStall();
  }

  #deliver(group: Group, object: MoqObject): void {
    group.nextObject = object.objectId + 1;
    this.#position = { group: group.id, nextObject: group.nextObject, left: false };
    this.#options.onObject(group.id, object);
  }

  /** Every stream that came has ended and no hole is left; a stream of the init segment alone is not the whole group. */
  #isFinished(group: Group): boolean {
    return (
      group.openStreams === 0 && group.held.size === 0 && (group.endSeen || group.nextObject > 1 || this.#noMoreGroups)
    );
  }

  /** To the oldest group that is here (or the newest), leaving the current one. */
  #advance(toNewest: boolean): void {
    if (this.#current !== undefined) {
      this.#abandon(this.#current);
      this.#current = undefined;
      if (this.#position !== undefined) this.#position = { ...this.#position, left: true };
    }
    if (this.#stopped) return;
    const ids = [...this.#groups.keys()].sort((a, b) => a - b);
    const id = toNewest ? ids.at(-1) : ids[0];
    if (id === undefined) {
      if (this.#noMoreGroups) this.#drained?.();
      return;
    }
    for (const older of ids) if (older < id) this.#abandon(this.#groups.get(older)!);
    this.#enter(this.#groups.get(id)!);
  }

  #skip(reason: 'stalled' | 'reset' | 'missing', toNewest: boolean): void {
    const current = this.#current;
    if (current === undefined || this.#stopped) return;
    const newest = Math.max(...this.#groups.keys());
    const to = toNewest ? newest - 1 : current.id;
    this.#options.onGap(current.id, Math.max(current.id, to), reason);
    this.#position = { group: Math.max(current.id, to), nextObject: 0, left: true };
    this.#advance(toNewest);
  }

  #abandon(group: Group): void {
    group.abandoned = true;
    group.held.clear();
    for (const subgroup of group.subgroups) subgroup.stop(streamResetCodes.cancelled);
    group.subgroups.clear();
    this.#groups.delete(group.id);
  }

  /** (Re)starts the clock that gives the current group up, where something newer is waiting. */
  #watchStall(): void {
    clearTimeout(this.#stallTimer);
    const waiting = this.#groups.size > 1 || this.#noMoreGroups;
    if (!waiting || this.#stopped || this.#options.stallMs === Number.POSITIVE_INFINITY) return;
    this.#stallTimer = setTimeout(() => {
      if (this.#current === undefined || !this.#groups.has(this.#current.id)) return;
      if (this.#isFinished(this.#current)) this.#advance(false);
      else this.#skip('stalled', true);
    }, this.#options.stallMs);
  }
}
