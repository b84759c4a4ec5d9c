import type { Catalog } from '../../codec/catalog/streams-catalog.ts';

/** The tallest video (the one of the highest bitrate among equals) and the first audio. */
export function selectDefaultTracks(catalog: Catalog): string[] {
  const videos = catalog.tracks.filter((track) => track.kind === 'video');
  const rank = (a: number | undefined, b: number | undefined) => (b ?? 0) - (a ?? 0);
  videos.sort((a, b) => rank(a.height, b.height) || rank(a.bitrate, b.bitrate));
  const audio = catalog.tracks.find((track) => track.kind === 'audio');
  return [videos[0], audio].filter((track) => track !== undefined).map((track) => track.name);
}
