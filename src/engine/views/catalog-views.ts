import { barePrefix } from '../../access/grant.ts';
import { TrackStore } from '../../broadcast/track-store.ts';
import { encodeHangCatalog, hangCatalogName } from '../../codec/catalog/hang-catalog.ts';
import { encodeMsfCatalog, msfCatalogName } from '../../codec/catalog/msf-catalog.ts';
import type { Catalog, CatalogTrack } from '../../codec/catalog/streams-catalog.ts';
import { toBase64 } from '../../core/base64.ts';
import { BareTrack } from './bare-track.ts';

type View = { readonly store: TrackStore; encode(catalog: Catalog): Uint8Array };

/**
 * How often the MSF catalog is told again while somebody follows it. Players that ask for what comes after the Largest Object (Shaka
 * Player does, and gives up after 10 s) would wait for its next change.
 */
const repeatMs = 1000;

export type CatalogViewsOptions = {
  catalog(): Catalog | undefined;
  track(name: string): TrackStore | undefined;
  /** Of the first group of a view. */
  firstGroup: number;
  /** ms since the Unix epoch; default the wall clock. */
  now?(): number;
};

/**
 * The broadcast in the words of other players: `catalog` (MSF and CMSF) and `catalog.json` (hang), and `cmaf/<name>`, the tracks
 * that they list. Nothing of it is made unless somebody asks.
 */
export class CatalogViews {
  readonly #options: CatalogViewsOptions;
  readonly #views = new Map<string, View>();
  readonly #bare = new Map<string, BareTrack>();
  #repeating: ReturnType<typeof setInterval> | undefined;
  #nextGroup: number;

  constructor(options: CatalogViewsOptions) {
    this.#options = options;
    this.#nextGroup = options.firstGroup;
  }

  /** undefined: no such view, or nothing to show yet. */
  find(name: string): TrackStore | undefined {
    if (this.#options.catalog() === undefined) return undefined;
    if (name.startsWith(barePrefix)) return this.#bareTrack(name);
    const encode =
      name === msfCatalogName
        ? (catalog: Catalog) => encodeMsfCatalog(catalog, (this.#options.now ?? Date.now)())
        : name === hangCatalogName
          ? encodeHangCatalog
          : undefined;
    if (encode === undefined) return undefined;
    let view = this.#views.get(name);
    if (view === undefined) {
      view = { store: new TrackStore(name), encode };
      this.#views.set(name, view);
    }
    if (view.store.followers === 0) this.#publish(view);
    if (name === msfCatalogName) this.#repeat(view);
    return view.store;
  }

  /** The catalog, or an init segment, has changed. */
  changed(): void {
    for (const view of this.#views.values()) if (view.store.followers > 0) this.#publish(view);
  }

  /** After the last change: the broadcast is over. */
  end(): void {
    clearInterval(this.#repeating);
    for (const { store } of this.#views.values()) store.end();
    for (const { store } of this.#bare.values()) store.end();
  }

  #publish({ store, encode }: View): void {
    const catalog = this.#options.catalog();
    if (catalog === undefined) return;
    const tracks = catalog.tracks.map((track): CatalogTrack => {
      const source = this.#options.track(track.name);
      const init = (source?.newest ?? source?.previous)?.objects[0];
      return {
        ...track,
        name: barePrefix + track.name,
        ...(init !== undefined && { init: toBase64(init) }),
      };
    });
    store.begin(this.#nextGroup++);
    store.push(encode({ ...catalog, tracks }));
  }

  #repeat(view: View): void {
    this.#repeating ??= setInterval(() => {
      if (view.store.followers > 0) this.#publish(view);
      else {
        clearInterval(this.#repeating);
        this.#repeating = undefined;
      }
    }, repeatMs);
  }

  #bareTrack(name: string): TrackStore | undefined {
    let bare = this.#bare.get(name);
    if (bare === undefined) {
      const source = name.slice(barePrefix.length);
      const listed = this.#options.catalog()?.tracks.some((track) => track.name === source) === true;
      const store = listed ? this.#options.track(source) : undefined;
      if (store === undefined) return undefined;
      bare = new BareTrack(store, name);
      this.#bare.set(name, bare);
    }
    bare.refresh();
    return bare.store;
  }
}
