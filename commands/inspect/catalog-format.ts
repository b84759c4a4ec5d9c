import { decodeHangCatalog, hangCatalogName } from '../../src/codec/catalog/hang-catalog.ts';
import { decodeMsfCatalog, msfCatalogName } from '../../src/codec/catalog/msf-catalog.ts';
import { type Catalog, catalogTrackName, decodeCatalog } from '../../src/codec/catalog/streams-catalog.ts';
import { fromUtf8 } from '../../src/core/bytes.ts';

export const catalogFormats = ['streams', 'msf', 'hang'] as const;
export type CatalogFormat = (typeof catalogFormats)[number];

/** Where each lies in a broadcast, and how it is read. */
export const catalogForms: Record<CatalogFormat, { trackName: string; decode(bytes: Uint8Array): Catalog }> = {
  streams: { trackName: catalogTrackName, decode: decodeCatalog },
  msf: { trackName: msfCatalogName, decode: decodeMsfCatalog },
  hang: { trackName: hangCatalogName, decode: decodeHangCatalog },
};

/** Which of them a document is; ours where it cannot be told. */
export function formatOf(bytes: Uint8Array): CatalogFormat {
  let root: unknown;
  try {
    root = JSON.parse(fromUtf8(bytes));
  } catch {
    return 'streams';
  }
  if (typeof root !== 'object' || root === null || Array.isArray(root) || 'live' in root) return 'streams';
  if ('tracks' in root || 'isComplete' in root) return 'msf';
  return 'video' in root || 'audio' in root ? 'hang' : 'streams';
}
