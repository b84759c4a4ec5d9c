import { TrackStore } from '../broadcast/track-store.ts';
import { type Catalog, catalogTrackName, encodeCatalog } from '../codec/catalog/streams-catalog.ts';
import type { MediaUnit } from '../core/media-unit.ts';
import { Packager } from './package/from-units.ts';
import { ChannelLadder, type ChannelLadderOptions } from './transcode/channel-ladder.ts';
import { CatalogViews } from './views/catalog-views.ts';

/** One live input's tracks: units in, the newest group of each track out. It outlives the connections on both sides. */
export class Broadcast {
  readonly startedAt: number;
  readonly #packager: Packager;
  readonly #tracks = new Map<string, TrackStore>();
  readonly #ladder: ChannelLadder | undefined;
  readonly #views: CatalogViews;
  /** What the source consists of. */
  #source: Catalog | undefined;
  #catalogGroup: number;
  #catalog: Catalog | undefined;
  #restarts = 0;
  #ended = false;
  readonly #waiting = new Map<string, Set<(track: TrackStore | undefined) => void>>();

  /**
   * `startedAt`: ms since the Unix epoch. `ladder`: renditions beside the source. `fragmentSeconds`: see Packager. `cut`: told of a group
   * that reached its largest size without a keyframe.
   */
  constructor(
    startedAt: number,
    ladder?: ChannelLadderOptions,
    fragmentSeconds?: number,
    cut?: (track: string) => void,
  ) {
    this.startedAt = startedAt;
    this.#ladder = ladder && new ChannelLadder(ladder, () => this.#source && this.#publishCatalog(this.#source));
    this.#catalogGroup = Math.floor(startedAt);
    this.#views = new CatalogViews({
      catalog: () => this.#catalog,
      track: (name) => this.#tracks.get(name),
      firstGroup: Math.floor(startedAt),
    });
    this.#packager = new Packager(
      {
        beginGroup: (track, groupId) => this.#track(track).begin(groupId),
        object: (track, payload) => this.#track(track).push(payload),
        catalog: (catalog) => this.#publishCatalog(catalog),
        ...(cut !== undefined && { cut }),
      },
      startedAt,
      fragmentSeconds,
    );
  }

  get catalog(): Catalog | undefined {
    return this.#catalog;
  }

  get ladder(): ChannelLadder | undefined {
    return this.#ladder;
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
    const track = this.#tracks.get(name) ?? (this.#ended ? undefined : this.#views.find(name));
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
    this.#ladder?.end();
    for (const track of this.#tracks.values()) track.end();
    this.#views.end();
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

  #publishCatalog(source: Catalog): void {
    if (this.#ended) return;
    this.#source = source;
    const catalog = this.#withRenditions(source);
    this.#catalog = catalog;
    const track = this.#track(catalogTrackName);
    track.begin(this.#catalogGroup++);
    track.push(encodeCatalog(catalog));
    for (const { name } of catalog.tracks) this.#answer(name, this.#track(name));
    this.#views.changed();
    for (const name of [...this.#waiting.keys()]) {
      const view = this.#views.find(name);
      if (view !== undefined) this.#answer(name, view);
    }
  }

  /** The source first: who cannot choose has the best picture and the first sound. */
  #withRenditions(source: Catalog): Catalog {
    const made = this.#ladder?.update(source, (name) => this.#track(name)) ?? [];
    for (const { name } of made) {
      const track = this.#ladder!.track(name);
      if (track !== undefined) this.#tracks.set(name, track);
    }
    const all = [...source.tracks, ...made];
    const of = (kind: 'video' | 'audio') => all.filter((track) => track.kind === kind);
    return { ...source, tracks: [...of('video'), ...of('audio')] };
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
