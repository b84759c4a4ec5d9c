import { objectPriorities, pictureOf } from '../../core/send-order.ts';
import { hangCatalogName } from './hang-catalog.ts';
import { msfCatalogName } from './msf-catalog.ts';
import { catalogTrackName } from './streams-catalog.ts';

const catalogs = new Set([catalogTrackName, msfCatalogName, hangCatalogName]);

/** Catalog before audio before video (0 is most urgent), and of pictures the smaller one, as its name tells: `video/360p`. */
export function publisherPriority(trackName: string): number {
  if (catalogs.has(trackName)) return objectPriorities.catalog;
  if (/^(cmaf\/)?audio/.test(trackName)) return objectPriorities.audio;
  const height = /(?:^|\/)(\d{2,5})p/.exec(trackName)?.[1];
  return pictureOf(height === undefined ? undefined : Number(height));
}
