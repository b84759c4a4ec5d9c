import { type AssetEvent, type AssetState, nextAsset } from '../../contract/asset-state.ts';
import { StreamsError } from '../../core/errors.ts';
import type { MediaStore } from './media-store.ts';

/** What the engine knows of an asset, in its folder: whatever happens to the process, it is read again at the next start. */
export type AssetRecord = {
  version: 1;
  assetId: string;
  playbackId: string;
  orgId: string;
  origin: 'upload' | 'recording';
  /** Changed by `advance` only. */
  state: AssetState;
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

/**
 * Notes that something has happened to the asset: writes the record, and changes `record` once it is written. `reason`: why it
 * failed, in words. Rejects with INTERNAL when the event cannot happen in the record's state, and with what the disk says.
 */
export async function advance(
  store: MediaStore,
  record: AssetRecord,
  event: AssetEvent,
  changes: Partial<Pick<AssetRecord, 'attempts' | 'length' | 'reason'>> = {},
): Promise<void> {
  const state = nextAsset(record.state, event);
  if (state === undefined) throw new StreamsError('INTERNAL', `an asset that is ${record.state} cannot be ${event}`);
  const next = { ...record, ...changes, state };
  await writeRecord(store, next);
  Object.assign(record, next);
}

/** A broadcast has ended, of which so many tracks were kept. */
export function endRecording(store: MediaStore, record: AssetRecord, tracks: number): Promise<void> {
  if (tracks > 0) return advance(store, record, 'recorded');
  return advance(store, record, 'failed', { reason: 'nothing was recorded' });
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
