import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  type AssetRecord,
  advance,
  endRecording,
  readRecord,
  writeRecord,
} from '../../../src/engine/vod/asset-record.ts';
import { type MediaStore, openLocalStore } from '../../../src/engine/vod/media-store.ts';

const assetId = 'as_0123456789abcdefghijkl';
let dir: string;
let store: MediaStore;
let record: AssetRecord;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'streams-record-'));
  store = await openLocalStore(dir);
  const playbackId = 'pb_0123456789abcdefghijkl';
  await store.create(assetId, playbackId);
  record = {
    version: 1,
    assetId,
    playbackId,
    orgId: 'org_local',
    origin: 'upload',
    state: 'uploading',
    length: null,
    filename: '',
    createdAt: 0,
    attempts: 0,
  };
  await writeRecord(store, record);
});

afterEach(() => rm(dir, { recursive: true }));

it('goes from upload to ready, with what changes on the way', async () => {
  await advance(store, record, 'received', { length: 7 });
  await advance(store, record, 'begun', { attempts: 1 });
  await advance(store, record, 'interrupted', { attempts: 0 });
  await advance(store, record, 'begun', { attempts: 1 });
  await advance(store, record, 'packaged');
  expect(record).toMatchObject({ state: 'ready', length: 7, attempts: 1 });
  expect(await readRecord(store, assetId)).toEqual(record);
});

it('stays as it was when the event cannot happen', async () => {
  await expect(advance(store, record, 'packaged')).rejects.toMatchObject({ code: 'INTERNAL' });
  expect(record.state).toBe('uploading');
  expect(await readRecord(store, assetId)).toEqual(record);
});

it('stays as it was when the disk does not take it, so that it can fail', async () => {
  const full = { ...store, writeJson: () => Promise.reject(new Error('full')) };
  await expect(advance(full, record, 'received')).rejects.toThrow('full');
  expect(record.state).toBe('uploading');
  await advance(store, record, 'failed', { reason: 'full' });
  expect(await readRecord(store, assetId)).toMatchObject({ state: 'errored', reason: 'full' });
});

it.each([
  [2, { state: 'ready' }],
  [0, { state: 'errored', reason: 'nothing was recorded' }],
])('a broadcast of which %i tracks were kept becomes %j', async (tracks, expected) => {
  await endRecording(store, record, tracks);
  expect(await readRecord(store, assetId)).toMatchObject(expected);
});
