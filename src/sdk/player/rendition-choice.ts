import type { Catalog, CatalogTrack } from '../../codec/catalog/streams-catalog.ts';

/** So many stalls within so long, and the next smaller rendition is taken. */
const maxStalls = 3;
const stallWindowMs = 15_000;

/** Which picture to play: the one a person chose, else the best that can be decoded and was not found too much. */
export class RenditionChoice {
  readonly #canPlay: (track: CatalogTrack) => boolean;
  #chosen: string | undefined;
  /** Renditions below this height only, after stalls. */
  #below = Number.POSITIVE_INFINITY;
  #stalls: number[] = [];

  constructor(canPlay: (track: CatalogTrack) => boolean) {
    this.#canPlay = canPlay;
  }

  /** A person has not chosen. */
  get automatic(): boolean {
    return this.#chosen === undefined;
  }

  /** Track name; undefined leaves it to the player, which begins with the best. */
  choose(name: string | undefined): void {
    this.#chosen = name;
    this.#below = Number.POSITIVE_INFINITY;
    this.#stalls = [];
  }

  /** Pictures that can be played, the tallest first. */
  playable(catalog: Catalog): CatalogTrack[] {
    return catalog.tracks
      .filter((track) => track.kind === 'video' && this.#canPlay(track))
      .sort((a, b) => (b.height ?? 0) - (a.height ?? 0));
  }

  /** `wanted` with its picture replaced where another one is to be played. */
  apply(catalog: Catalog, wanted: readonly string[]): string[] {
    const videos = this.playable(catalog);
    const proposed = videos.find(({ name }) => wanted.includes(name));
    const chosen = videos.find(({ name }) => name === this.#chosen);
    const within = videos.filter(({ height }) => (height ?? 0) < this.#below);
    const fits = proposed !== undefined && within.includes(proposed) ? proposed : (within[0] ?? videos.at(-1));
    const kinds = new Map(catalog.tracks.map(({ name, kind }) => [name, kind]));
    const wantsVideo = wanted.some((name) => kinds.get(name) === 'video');
    const video = wantsVideo ? (chosen ?? fits) : undefined;
    if (video === undefined) return [...wanted];
    return [video.name, ...wanted.filter((name) => kinds.get(name) !== 'video')];
  }

  /** Playback of this picture stood still. true: a smaller one is to be taken. `now`: ms of a clock that never goes back. */
  stalled(catalog: Catalog, playing: CatalogTrack, now: number): boolean {
    if (!this.automatic) return false;
    this.#stalls = [...this.#stalls.filter((at) => now - at < stallWindowMs), now];
    const height = playing.height ?? 0;
    if (this.#stalls.length < maxStalls || !this.playable(catalog).some((track) => (track.height ?? 0) < height))
      return false;
    this.#stalls = [];
    this.#below = height;
    return true;
  }
}
