import type { TrackName } from '../../session/types.ts';
import { namespaceKey, type Tried } from '../upstream/namespace-publisher.ts';
import type { OfferedTrack } from './offered-track.ts';

/** Tracks offered with PUBLISH, by full name. The newest offer of a track comes first; older ones are its standby. */
export class TrackOffers {
  readonly #byTrack = new Map<string, OfferedTrack[]>();
  readonly #byNamespace = new Map<string, Set<OfferedTrack>>();

  add(offer: OfferedTrack): void {
    const key = keyOf(offer.name);
    const list = this.#byTrack.get(key);
    if (list === undefined) this.#byTrack.set(key, [offer]);
    else list.unshift(offer);
    const place = namespaceKey(offer.name.namespace);
    this.#byNamespace.set(place, (this.#byNamespace.get(place) ?? new Set()).add(offer));
  }

  remove(offer: OfferedTrack): void {
    const key = keyOf(offer.name);
    const list = this.#byTrack.get(key)?.filter((each) => each !== offer) ?? [];
    if (list.length === 0) this.#byTrack.delete(key);
    else this.#byTrack.set(key, list);
    const place = namespaceKey(offer.name.namespace);
    const others = this.#byNamespace.get(place);
    others?.delete(offer);
    if (others?.size === 0) this.#byNamespace.delete(place);
  }

  /** One of those in exactly this namespace. */
  within(namespace: readonly string[]): OfferedTrack | undefined {
    return this.#byNamespace.get(namespaceKey(namespace))?.values().next().value;
  }

  namespaces(): readonly (readonly string[])[] {
    return [...this.#byNamespace.values()].map(([first]) => first!.name.namespace);
  }

  find(track: TrackName, tried?: Tried): OfferedTrack | undefined {
    return this.#byTrack.get(keyOf(track))?.find(({ publisher }) => tried?.has(publisher) !== true);
  }

  /** The first of each track. */
  all(): OfferedTrack[] {
    return [...this.#byTrack.values()].map((list) => list[0]!);
  }
}

function keyOf(track: TrackName): string {
  return namespaceKey([...track.namespace, track.name]);
}
