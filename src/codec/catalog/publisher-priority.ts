import { hangCatalogName } from './hang-catalog.ts';
import { msfCatalogName } from './msf-catalog.ts';
import { catalogTrackName } from './streams-catalog.ts';

const catalogs = new Set([catalogTrackName, msfCatalogName, hangCatalogName]);

/** Catalog before audio before video (0 is most urgent): a stalled picture hurts less than broken sound. */
export function publisherPriority(trackName: string): number {
  if (catalogs.has(trackName)) return 0;
  return /^(cmaf\/)?audio/.test(trackName) ? 1 : 2;
}
