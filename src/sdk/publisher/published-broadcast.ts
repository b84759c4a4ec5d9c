import { TrackStore } from '../../broadcast/track-store.ts';
import {
  type Catalog,
  type CatalogTrack,
  catalogTrackName,
  encodeCatalog,
} from '../../codec/catalog/streams-catalog.ts';
import { StreamsError } from '../../core/errors.ts';

type Track = {
  readonly store: TrackStore;
  description: CatalogTrack;
  init: Uint8Array;
  /** What comes until the next keyframe cannot be decoded. */
  waiting: boolean;
  groupId: number | undefined;
  groupStart: number;
};

/** A group is cut at this size, keyframe or not: relays forget the beginning of larger ones. */
const maxGroupBytes = 24 << 20;
/** Audio without video is cut into groups of a second. */
const audioGroupSeconds = 1;

/**
 * The tracks of a broadcast that is being published, cut into groups: object 0 of each is the init segment; video groups
 * begin at keyframes, audio groups with them.
 */
export class PublishedBroadcast {
  readonly #tracks = new Map<string, Track>();
  readonly #catalog = new TrackStore(catalogTrackName);
  #lastGroup: number;
  #catalogGroup: number;
  #videoGroup: number | undefined;
  #ended = false;

  /** `startedAt`, ms since the Unix epoch: group ids count up from it, so that they also grow from one publisher to the next. */
  constructor(startedAt: number) {
    this.#lastGroup = Math.floor(startedAt) - 1;
    this.#catalogGroup = Math.floor(startedAt);
  }

  /** Adds the tracks, or configures them anew; those that are not named go, unless `more` says that these are but some. */
  describe(tracks: readonly { description: CatalogTrack; init: Uint8Array }[], { more }: { more: boolean }): void {
    const named = new Set(tracks.map(({ description }) => description.name));
    for (const [name, { store }] of this.#tracks) {
      if (more || named.has(name)) continue;
      store.end();
      this.#tracks.delete(name);
    }
    for (const { description, init } of tracks) {
      const known = this.#tracks.get(description.name);
      if (known === undefined) {
        const store = new TrackStore(description.name);
        const place = { waiting: true, groupId: undefined, groupStart: 0 };
        this.#tracks.set(description.name, { store, description, init, ...place });
      } else Object.assign(known, { description, init, waiting: true });
    }
    this.#publishCatalog(true);
  }

  /** One fragment; `seconds`: its decode time. Video before the first keyframe is dropped. Throws NOT_FOUND. */
  fragment(name: string, bytes: Uint8Array, { keyframe, seconds }: { keyframe: boolean; seconds: number }): void {
    const track = this.#tracks.get(name);
    if (track === undefined) throw new StreamsError('NOT_FOUND', `there is no track "${name}"`);
    if (this.#ended || (track.waiting && !keyframe)) return;
    const groupId = this.#groupFor(track, keyframe, seconds);
    if (groupId !== undefined) {
      track.groupId = groupId;
      track.groupStart = seconds;
      track.waiting = false;
      track.store.begin(groupId);
      track.store.push(track.init);
    }
    track.store.push(bytes);
  }

  find(name: string): TrackStore | undefined {
    return name === catalogTrackName ? this.#catalog : this.#tracks.get(name)?.store;
  }

  /** The last catalog, and the end of every track. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#publishCatalog(false);
    this.#catalog.end();
    for (const { store } of this.#tracks.values()) store.end();
  }

  /** The group that begins here; undefined: the one before goes on. */
  #groupFor(track: Track, keyframe: boolean, seconds: number): number | undefined {
    if (track.description.kind === 'video') {
      if (!keyframe && (track.store.newest?.bytes ?? 0) < maxGroupBytes) return undefined;
      this.#videoGroup = ++this.#lastGroup;
      return this.#videoGroup;
    }
    if (this.#videoGroup !== undefined && this.#videoGroup > (track.groupId ?? -1)) return this.#videoGroup;
    const alone = ![...this.#tracks.values()].some(({ description }) => description.kind === 'video');
    const due = alone && seconds - track.groupStart >= audioGroupSeconds;
    if (track.groupId !== undefined && !track.waiting && !due) return undefined;
    // Ahead of its picture: the number that the next video group will have.
    return alone ? ++this.#lastGroup : Math.max(this.#lastGroup, track.groupId ?? 0) + 1;
  }

  #publishCatalog(live: boolean): void {
    const catalog: Catalog = { version: 1, live, tracks: [...this.#tracks.values()].map((track) => track.description) };
    this.#catalog.begin(this.#catalogGroup++);
    this.#catalog.push(encodeCatalog(catalog));
  }
}
