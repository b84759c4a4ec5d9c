import type { TrackName } from '../codec/moqt/model.ts';

/** One string per full track name; two names never share one. */
export function trackKey(track: TrackName): string {
  return JSON.stringify([track.namespace, track.name]);
}
