import { CmafSplitter } from '../../codec/cmaf/splitter.ts';
import { toStreamsError } from '../../core/errors.ts';
import { type AssetIndex, assetIndex, indexFile } from './asset-index.ts';
import type { AssetRecord } from './asset-record.ts';
import { type TrackFile, tracksFile } from './asset-writer.ts';
import type { MediaStore } from './media-store.ts';
import { TrackIndexer } from './track-indexer.ts';

/**
 * Indexes what a process that was killed has written. The torn end of a file, and whatever follows something that cannot be read,
 * stays outside of the index.
 */
export async function recoverIndex(store: MediaStore, record: AssetRecord): Promise<AssetIndex> {
  const files = (await store.readJson<TrackFile[]>(record.assetId, tracksFile)) ?? [];
  const tracks = await Promise.all(files.map((file) => indexOf(store, record.assetId, file)));
  const index = assetIndex(
    record,
    tracks.flatMap((track) => track ?? []),
  );
  if (index.tracks.length > 0) await store.writeJson(record.assetId, indexFile, index);
  return index;
}

async function indexOf(store: MediaStore, assetId: string, { name, file, firstPeriod }: TrackFile) {
  const found = await store.stat(assetId, file);
  const indexer = new TrackIndexer(name, file, firstPeriod);
  if (found === undefined || found.bytes === 0) return undefined;
  const splitter = new CmafSplitter();
  let offset = 0;
  try {
    for await (const chunk of store.read(assetId, file, 0, found.bytes) as AsyncIterable<Buffer>) {
      for (const { kind, bytes } of splitter.push(chunk)) {
        if (kind === 'init') indexer.init(bytes, offset);
        else indexer.fragment(bytes, offset);
        offset += bytes.length;
      }
    }
  } catch (error) {
    if (toStreamsError(error).code === 'INTERNAL') throw error;
  }
  return indexer.finish();
}
