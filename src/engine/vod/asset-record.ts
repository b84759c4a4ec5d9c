import { StreamsError } from '../../core/errors.ts';
import type { MediaStore } from './media-store.ts';

/** What the engine knows of an asset, in its folder: whatever happens to the process, it is read again at the next start. */
export type AssetRecord = {
  version: 1;
  assetId: string;
  playbackId: string;
  orgId: string;
  origin: 'upload' | 'recording';
  /** `uploading`: media is arriving. `queued`: it is to be packaged, or being so. */
  state: 'uploading' | 'queued' | 'ready' | 'errored';
  /** In words, when errored. */
  reason?: string;
  /** Bytes of the upload as the client said or as it turned out; null: not known yet. */
  length: number | null;
  filename: string;
  /** ms since the Unix epoch. */
  createdAt: number;
  /** How often packaging began: what kills the process every time is given up. */
  attempts: number;
};

/** Uploaded bytes. */
export const sourceFile = 'source';
const recordFile = 'asset.json';
const toldFile = 'told.json';

/** Throws MALFORMED for what a disk or a power cut has made of it. */
export async function readRecord(store: MediaStore, assetId: string): Promise<AssetRecord | undefined> {
  const record = await store.readJson<AssetRecord | null>(assetId, recordFile);
  if (record === undefined || record?.assetId === assetId) return record;
  throw new StreamsError('MALFORMED', `${recordFile} of ${assetId} is not that of an asset`);
}

export function writeRecord(store: MediaStore, record: AssetRecord): Promise<void> {
  return store.writeJson(record.assetId, recordFile, record);
}

/** The state that the control plane has heard of last: a file of its own, so that telling never undoes what was written since. */
export async function readTold(store: MediaStore, assetId: string): Promise<AssetRecord['state'] | undefined> {
  return (await store.readJson<{ state: AssetRecord['state'] } | null>(assetId, toldFile))?.state;
}

export function writeTold(store: MediaStore, { assetId, state }: AssetRecord): Promise<void> {
  return store.writeJson(assetId, toldFile, { state });
}
