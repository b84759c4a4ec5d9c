import type { StoredGroup, TrackStore } from '../../broadcast/track-store.ts';
import type { CatalogTrack } from '../../codec/catalog/streams-catalog.ts';
import { parseFragment } from '../../codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../codec/cmaf/init-segment.ts';
import { bytesEqual } from '../../core/bytes.ts';
import type { Cuts } from './cuts.ts';

/** Seconds and bytes a playlist lists, and more that stays for clients that hold an older one. */
export type WindowLimits = { readonly seconds: number; readonly bytes: number };

/** Fragments as they went to the relay; the bytes are shared with it. */
export type Part = {
  /** Names it: counts up through all segments of the rendition. */
  readonly number: number;
  readonly objects: Uint8Array[];
  duration: number;
  independent: boolean;
};

export type Segment = {
  readonly msn: number;
  readonly discontinuity: boolean;
  readonly map: InitMap;
  /** It begins with a picture that needs no other, or is sound. */
  readonly independent: boolean;
  /** ms since the Unix epoch. */
  readonly programDateTime: number;
  readonly parts: Part[];
  duration: number;
  bytes: number;
};

export type InitMap = { readonly number: number; readonly bytes: Uint8Array };

/** Whole seconds, for all playlists alike: segments are cut at keyframes, or where they would grow beyond it. */
export const targetDuration = 2;
/** Rounds to the target. */
const maxSegmentSeconds = 2.4;
/** A group that begins sooner joins the segment. */
const minSegmentSeconds = 0.95;
const maxSegmentBytes = 32 << 20;
const epsilon = 0.000_5;

type RenditionOptions = {
  readonly description: CatalogTrack;
  readonly cuts: Cuts;
  readonly leads: boolean;
  /** Longest part, seconds. */
  readonly partTarget: number;
  readonly limits: WindowLimits;
  /** Media sequence numbers begin no lower. */
  readonly minMsn: number;
  /** Nor do part numbers. */
  readonly minPart: number;
  /** How often another publisher took over. */
  readonly restarts: () => number;
  /** A part or segment more, or the end. */
  readonly changed: () => void;
};

/**
 * One track as HLS: its objects in segments and parts. A leading rendition cuts by its keyframes; the others follow it. The
 * media sequence begins at the media time in seconds (media time begins at the wall clock, and a segment lasts about a second
 * or more), so numbers and URIs do not come again after a pause or a restart of the engine.
 */
export class Rendition {
  description: CatalogTrack;
  /** It is only made while somebody follows it. */
  readonly onDemand: boolean;
  readonly segments: Segment[] = [];
  /** Those that left the playlist at the front with a discontinuity. */
  discontinuitySequence = 0;
  /** Whole segments in front that are no longer listed. */
  unlisted = 0;
  ended = false;
  readonly #options: RenditionOptions;
  readonly #leave: () => void;
  #group: StoredGroup | undefined;
  #next = 0;
  #map: InitMap | undefined;
  #timescale = 1;
  #open: Segment | undefined;
  #part: Part | undefined;
  #nextMsn: number;
  #nextPart = 0;
  #nextMap = 0;
  #restarts: number;
  #wallShift = 0;
  #alreadyMarked = 0;

  constructor(track: TrackStore, options: RenditionOptions) {
    this.#options = options;
    this.onDemand = track.onDemand;
    this.description = options.description;
    this.#nextMsn = options.minMsn;
    this.#restarts = options.restarts();
    if (track.previous !== undefined) this.#take(track.previous);
    this.#leave = track.follow({
      group: (group) => this.#take(group),
      object: () => this.#pump(),
      end: () => this.#end(),
    });
  }

  /** The segment being made, if it has begun. */
  get open(): Segment | undefined {
    return this.#open;
  }

  /** Whole parts of the segment being made. */
  get openParts(): readonly Part[] {
    const parts = this.#open?.parts ?? [];
    return parts.at(-1) === this.#part ? parts.slice(0, -1) : parts;
  }

  /** Number of the part that comes next, or is being filled. */
  get hintedPart(): number {
    return this.#part?.number ?? this.#nextPart;
  }

  get nextMsn(): number {
    return this.#nextMsn;
  }

  get listed(): readonly Segment[] {
    return this.segments.slice(this.unlisted);
  }

  close(): void {
    this.#leave();
  }

  segment(msn: number): Segment | undefined {
    return this.segments[msn - (this.segments[0]?.msn ?? 0)];
  }

  /** A whole part, of whatever segment. */
  part(number: number): Part | undefined {
    if (this.#part?.number === number) return undefined;
    const open = this.#open?.parts.find((part) => part.number === number);
    return open ?? this.segments.flatMap(({ parts }) => parts).find((part) => part.number === number);
  }

  init(number: number): InitMap | undefined {
    if (this.#map?.number === number) return this.#map;
    return this.segments.find(({ map }) => map.number === number)?.map ?? undefined;
  }

  #take(group: StoredGroup): void {
    this.#group = group;
    this.#next = 0;
    this.#pump();
  }

  #pump(): void {
    const group = this.#group!;
    for (; this.#next < group.objects.length; this.#next++) {
      if (this.#next > 0) this.#fragment(group.groupId, group.objects[this.#next]!, this.#next === 1);
    }
  }

  #fragment(groupId: number, bytes: Uint8Array, first: boolean): void {
    const { producer, tracks } = parseFragment(bytes);
    const run = tracks[0];
    if (run === undefined) return;
    const init = this.#group!.objects[0]!;
    const newInit = first && (this.#map === undefined || !bytesEqual(this.#map.bytes, init));
    if (newInit) this.#timescale = parseInitSegment(init)[0]?.timescale ?? 1;
    const ticks = run.samples.reduce((sum, { duration }) => sum + duration, 0);
    const seconds = run.baseMediaDecodeTime / this.#timescale;
    // A publisher's pause is told from a long frame by its length alone.
    const duration = Math.min(ticks / this.#timescale, this.#options.partTarget);
    const wallClock = producer?.wallClock ?? seconds * 1000;
    if (!this.#cut({ groupId, seconds, duration, first, newInit, init, wallClock })) return;
    this.#append(bytes, duration, run.samples[0]?.keyframe === true);
  }

  /** Begins a segment where one is due. false: the fragment is from before the first. */
  #cut(at: FragmentPlace): boolean {
    const { cuts, leads } = this.#options;
    const open = this.#open;
    const full =
      open !== undefined &&
      (open.duration + at.duration > maxSegmentSeconds || open.bytes > maxSegmentBytes || (at.newInit && !leads));
    if (leads) {
      const restarted = at.first && this.#restarts !== this.#options.restarts();
      const discontinuity = open !== undefined && (at.newInit || restarted || (at.first && cuts.discontinuityWanted));
      const due = at.first && (open === undefined || open.duration >= minSegmentSeconds);
      if (!due && !discontinuity && !full) return open !== undefined;
      if (restarted) {
        // The media clock did not stand still while the publisher was away.
        this.#restarts = this.#options.restarts();
        this.#wallShift = at.wallClock - at.seconds * 1000;
      }
      cuts.discontinuityWanted = false;
      const msn = this.#begin(at, discontinuity, this.#wallShift);
      const groupId = at.first ? at.groupId : undefined;
      cuts.add({ msn, groupId, at: at.seconds, discontinuity, wallShift: this.#wallShift });
      return true;
    }
    const cut =
      open === undefined ? cuts.before(at.groupId, at.seconds) : cuts.following(this.#cutMsn, at.groupId, at.seconds);
    if (cut === undefined) {
      if (!full) return open !== undefined;
      const discontinuity = at.newInit;
      if (discontinuity) {
        this.#alreadyMarked++;
        cuts.discontinuityWanted = true;
      }
      this.#begin(at, discontinuity, this.#wallShift);
      return true;
    }
    this.#cutMsn = cut.msn;
    this.#wallShift = cut.wallShift;
    if (open === undefined) this.#nextMsn = Math.max(this.#nextMsn, cut.msn);
    let { discontinuity } = cut;
    if (open === undefined) discontinuity = false;
    else if (discontinuity && this.#alreadyMarked > 0 && !at.newInit) {
      this.#alreadyMarked--;
      discontinuity = false;
    }
    this.#begin(at, discontinuity || (at.newInit && open !== undefined), this.#wallShift);
    return true;
  }

  /** Of the cut this follower made last. */
  #cutMsn = 0;

  #begin(at: FragmentPlace, discontinuity: boolean, wallShift: number): number {
    this.#closeSegment();
    if (this.segments.length === 0) {
      if (this.#options.leads) this.#nextMsn = Math.max(this.#nextMsn, Math.floor(at.seconds));
      this.#nextPart = Math.max(this.#options.minPart, this.#nextMsn * 10);
      this.#nextMap = this.#nextMsn;
    }
    if (this.#map === undefined || at.newInit) this.#map = { number: this.#nextMap++, bytes: at.init };
    const msn = this.#nextMsn++;
    this.#open = {
      msn,
      discontinuity,
      map: this.#map,
      independent: at.first || this.description.kind === 'audio',
      programDateTime: at.seconds * 1000 + wallShift,
      parts: [],
      duration: 0,
      bytes: 0,
    };
    return msn;
  }

  #append(bytes: Uint8Array, duration: number, independent: boolean): void {
    const { partTarget } = this.#options;
    const open = this.#open!;
    if (this.#part !== undefined && this.#part.duration + duration > partTarget + epsilon) this.#closePart();
    if (this.#part === undefined) {
      this.#part = { number: this.#nextPart++, objects: [], duration: 0, independent: false };
      open.parts.push(this.#part);
    }
    const part = this.#part;
    part.objects.push(bytes);
    part.duration += duration;
    part.independent ||= independent;
    open.duration += duration;
    open.bytes += bytes.length;
    // No further frame of this length fits: nobody needs to wait for it.
    if (part.duration + duration > partTarget + epsilon) this.#closePart();
  }

  #closePart(): void {
    if (this.#part === undefined) return;
    this.#part = undefined;
    this.#options.changed();
  }

  #closeSegment(): void {
    const segment = this.#open;
    if (segment === undefined) return;
    this.#part = undefined;
    this.#open = undefined;
    this.segments.push(segment);
    this.#trim();
    this.#options.changed();
  }

  #trim(): void {
    const { seconds, bytes } = this.#options.limits;
    const enough = Math.max(seconds, 3 * targetDuration);
    let listed = 0;
    for (const { duration } of this.listed) listed += duration;
    while (listed - this.segments[this.unlisted]!.duration >= enough) {
      const gone = this.segments[this.unlisted++]!;
      listed -= gone.duration;
      if (gone.discontinuity) this.discontinuitySequence++;
    }
    // RFC 8216bis 6.2.2: a segment outlives the playlists that list it.
    let kept = 0;
    let size = 0;
    for (const segment of this.segments.slice(0, this.unlisted)) kept += segment.duration;
    for (const segment of this.segments) size += segment.bytes;
    while (this.segments.length > 1 && (size > bytes || kept > Math.min(enough, maxKeptSeconds))) {
      const gone = this.segments.shift()!;
      size -= gone.bytes;
      kept -= gone.duration;
      if (this.unlisted > 0) this.unlisted--;
      else if (gone.discontinuity) this.discontinuitySequence++;
    }
  }

  #end(): void {
    this.ended = true;
    this.#closeSegment();
    this.#options.changed();
  }
}

/** How long a segment stays after it left the playlist, at most. */
const maxKeptSeconds = 60;

type FragmentPlace = {
  readonly groupId: number;
  readonly seconds: number;
  readonly duration: number;
  /** The group's. */
  readonly first: boolean;
  readonly newInit: boolean;
  readonly init: Uint8Array;
  readonly wallClock: number;
};
