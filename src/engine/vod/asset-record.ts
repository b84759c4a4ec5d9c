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
  /** The control plane has heard of this state. */
  told: boolean;
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

export function readRecord(store: MediaStore, assetId: string): Promise<AssetRecord | undefined> {
  return store.readJson<AssetRecord>(assetId, recordFile);
}

export function writeRecord(store: MediaStore, record: AssetRecord): Promise<void> {
  return store.writeJson(record.assetId, recordFile, record);
}
