import { type Catalog, catalogTrackName, encodeCatalog } from '../codec/catalog/streams-catalog.ts';
import type { MediaUnit } from '../core/media-unit.ts';
import { TrackStore } from '../session/track-store.ts';
import { Packager } from './package/from-units.ts';

/** One live input's tracks: units in, the newest group of each track out. It outlives the connections on both sides. */
export class Broadcast {
  readonly startedAt: number;
  readonly #packager: Packager;
  readonly #tracks = new Map<string, TrackStore>();
  #catalogGroup: number;
  #catalog: Catalog | undefined;
  #restarts = 0;
  #ended = false;
  readonly #waiting = new Map<string, Set<(track: TrackStore | undefined) => void>>();

  /** `startedAt`: ms since the Unix epoch. */
  constructor(startedAt: number) {
    this.startedAt = startedAt;
    this.#catalogGroup = Math.floor(startedAt);
    this.#packager = new Packager(
      {
        beginGroup: (track, groupId) => this.#track(track).begin(groupId),
        object: (track, payload) => this.#track(track).push(payload),
        catalog: (catalog) => this.#publishCatalog(catalog),
      },
      startedAt,
    );
  }

  get catalog(): Catalog | undefined {
    return this.#catalog;
  }

  push(unit: MediaUnit): void {
    if (!this.#ended) this.#packager.push(unit);
  }

  /** How often another publisher has taken over. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Another publisher takes over. */
  restart(): void {
    this.#restarts++;
    this.#packager.restart();
  }

  /**
   * The track, or undefined when the broadcast has none of that name. Until the catalog is known nobody can say so: then
   * the call waits, at most until the broadcast ends.
   */
  find(name: string, found: (track: TrackStore | undefined) => void): void {
    const track = this.#tracks.get(name);
    if (track !== undefined || this.#ended || (this.#catalog !== undefined && name !== catalogTrackName)) {
      found(track);
      return;
    }
    let waiting = this.#waiting.get(name);
    if (waiting === undefined) {
      waiting = new Set();
      this.#waiting.set(name, waiting);
    }
    waiting.add(found);
  }

  end(): void {
    if (this.#ended) return;
    if (this.#catalog !== undefined) this.#packager.end();
    this.#ended = true;
    for (const track of this.#tracks.values()) track.end();
    this.#answerAll();
  }

  #track(name: string): TrackStore {
    let track = this.#tracks.get(name);
    if (track === undefined) {
      track = new TrackStore(name);
      this.#tracks.set(name, track);
      this.#answer(name, track);
    }
    return track;
  }

  #publishCatalog(catalog: Catalog): void {
    this.#catalog = catalog;
    const track = this.#track(catalogTrackName);
    track.begin(this.#catalogGroup++);
    track.push(encodeCatalog(catalog));
    for (const { name } of catalog.tracks) this.#answer(name, this.#track(name));
  }

  #answer(name: string, track: TrackStore | undefined): void {
    const waiting = this.#waiting.get(name);
    this.#waiting.delete(name);
    for (const found of waiting ?? []) found(track);
  }

  #answerAll(): void {
    for (const name of [...this.#waiting.keys()]) this.#answer(name, this.#tracks.get(name));
  }
}
