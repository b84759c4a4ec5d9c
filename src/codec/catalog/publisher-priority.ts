import { catalogTrackName } from './streams-catalog.ts';

/** Catalog before audio before video (0 is most urgent): a stalled picture hurts less than broken sound. */
export function publisherPriority(trackName: string): number {
  return trackName === catalogTrackName ? 0 : trackName.startsWith('audio') ? 1 : 2;
}
