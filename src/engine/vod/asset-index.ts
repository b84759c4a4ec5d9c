import type { Catalog, CatalogTrack } from '../../codec/catalog/streams-catalog.ts';
import type { MediaStore } from './media-store.ts';

/** Where the media of a ready asset lie. */
export type AssetIndex = {
  version: 1;
  assetId: string;
  playbackId: string;
  orgId: string;
  durationMs: number;
  /** Of all track files. */
  bytes: number;
  tracks: TrackIndex[];
};

/** One track: a file of init segments and CMAF fragments, one after the other. A second init begins a discontinuity. */
export type TrackIndex = {
  /** As in the catalog, without `init`. */
  description: CatalogTrack;
  file: string;
  timescale: number;
  /** How many discontinuities the asset had before this track began. */
  firstPeriod: number;
  /** How much later its first sample is shown than decoded, ticks: reordered pictures. */
  compositionOffset?: number;
  inits: ByteRange[];
  segments: SegmentIndex[];
};

export type ByteRange = { offset: number; length: number };
/** `start` and `duration` in ticks; `init`: which of the track's it is decoded with. */
export type SegmentIndex = ByteRange & { start: number; duration: number; init: number };

export const indexFile = 'index.json';

export function readIndex(store: MediaStore, assetId: string): Promise<AssetIndex | undefined> {
  return store.readJson<AssetIndex>(assetId, indexFile);
}

/** Puts tracks together; those without media are left out. */
export function assetIndex(
  ids: { assetId: string; playbackId: string; orgId: string },
  tracks: readonly TrackIndex[],
): AssetIndex {
  const full = tracks.filter(({ segments }) => segments.length > 0);
  const { assetId, playbackId, orgId } = ids;
  const begin = Math.min(...full.filter(isFromTheStart).map(beginOf));
  const seconds = full.map((track) => {
    const late = isFromTheStart(track) ? beginOf(track) - begin : 0;
    return late + track.segments.reduce((sum, { duration }) => sum + duration, 0) / track.timescale;
  });
  const bytes = full
    .flatMap(({ inits, segments }) => [...inits, ...segments])
    .reduce((sum, { length }) => sum + length, 0);
  const durationMs = Math.round(Math.max(0, ...seconds) * 1000);
  return { version: 1, assetId, playbackId, orgId, durationMs, bytes, tracks: full };
}

/** It is there in the first period, though it may begin later in it than others. */
function isFromTheStart({ firstPeriod }: TrackIndex): boolean {
  return firstPeriod === 0;
}

/** When the first sample is shown, seconds on the clock of the media. */
function beginOf({ segments, compositionOffset = 0, timescale }: TrackIndex): number {
  return (segments[0]!.start + compositionOffset) / timescale;
}

/** `init` of each track: its first init segment in base64. */
export function vodCatalog(tracks: readonly { track: TrackIndex; init: Uint8Array }[]): Catalog {
  return {
    version: 1,
    live: false,
    tracks: tracks.map(({ track, init }) => ({ ...track.description, init: Buffer.from(init).toString('base64') })),
  };
}
