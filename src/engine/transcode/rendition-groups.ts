import type { TrackStore } from '../../broadcast/track-store.ts';
import { type FragmentSample, writeFragment } from '../../codec/cmaf/fragment.ts';

/** Hears the codec string and the init segment of each ffmpeg. */
export type OnConfig = (codec: string, init: Uint8Array) => void;

/** The track of a rendition: groups with the numbers of the source's, each the init segment and then fragments in order. */
export class RenditionGroups {
  readonly #trackId: number;
  readonly #store: TrackStore;
  readonly #onConfig: OnConfig;
  #init: Uint8Array | undefined;
  #sequence = 0;
  #lastTime = -1;
  #afterGroup = -1;
  /** Fragments may follow: this ffmpeg has begun a group. */
  #begun = false;
  #newest = -1;

  constructor(trackId: number, store: TrackStore, onConfig: OnConfig) {
    this.#trackId = trackId;
    this.#store = store;
    this.#onConfig = onConfig;
  }

  /** Newest group begun; -1: none. */
  get newest(): number {
    return this.#newest;
  }

  /** This ffmpeg has said what its frames are. */
  get configured(): boolean {
    return this.#init !== undefined;
  }

  /** A new ffmpeg: groups up to `afterGroup` are not touched again. */
  reset(afterGroup: number): void {
    this.#afterGroup = afterGroup;
    this.#begun = false;
    this.#init = undefined;
  }

  configure(codec: string, init: Uint8Array): void {
    this.#init = init;
    this.#onConfig(codec, init);
  }

  /** Begins the group, unless it is one that was begun or is not to be touched. */
  begin(groupId: number): void {
    if (groupId <= Math.max(this.#newest, this.#afterGroup)) return;
    this.#newest = groupId;
    this.#begun = true;
    this.#store.begin(groupId);
    this.#store.push(this.#init!);
  }

  /** false: a former ffmpeg has written this time. */
  isNew(decodeTime: number): boolean {
    return decodeTime > this.#lastTime;
  }

  /** What is not new, or comes before the first group, is left out. */
  push(sample: Omit<FragmentSample, 'trackId' | 'sequence' | 'compositionOffset'>): void {
    if (!this.#begun || !this.isNew(sample.decodeTime)) return;
    this.#lastTime = sample.decodeTime;
    const place = { trackId: this.#trackId, sequence: ++this.#sequence, compositionOffset: 0 };
    this.#store.push(writeFragment({ ...sample, ...place }));
  }
}
