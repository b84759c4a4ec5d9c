import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { silentLogger } from '../../../src/core/log.ts';
import type { AssetControl } from '../../../src/engine/vod/asset-control.ts';
import { type MediaStore, openLocalStore } from '../../../src/engine/vod/media-store.ts';
import { Uploads } from '../../../src/engine/vod/uploads/uploads.ts';

const ids = { assetId: 'as_0123456789abcdefghijkl', playbackId: 'pb_0123456789abcdefghijkl', orgId: 'org_local' };

/** What is uploaded to a store whose disk behaves as `broken` says; control knows one org. */
async function upload(broken: Partial<MediaStore>, body: string, length: number) {
  const dir = await mkdtemp(join(tmpdir(), 'streams-full-'));
  const store = { ...(await openLocalStore(dir)), ...broken };
  const control = { mayUpload: async () => 'org_local', assetFor: async () => ids } as unknown as AssetControl;
  const limits = { maxBytes: 1e12, maxAgeSeconds: 60 };
  const uploads = new Uploads({
    store,
    control,
    logger: silentLogger,
    limits,
    uploaded: async () => {},
    cancelled: async () => {},
  });
  const server = createServer((incoming, outgoing) => void uploads.handle(incoming, outgoing, 'x'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/uploads`, {
      method: 'POST',
      headers: { authorization: 'Bearer x', 'upload-complete': '?1', 'upload-length': String(length) },
      body,
    });
    return { status: answer.status, error: ((await answer.json()) as { error: object }).error };
  } finally {
    server.closeAllConnections();
    server.close();
    await rm(dir, { recursive: true });
  }
}

it('refuses an upload that the disk has no room for, before it begins', async () => {
  const { status, error } = await upload({ freeBytes: async () => 1e9 }, 'x', 2e9);
  expect(status).toBe(507);
  expect(error).toMatchObject({
    code: 'DISK_FULL',
    message: expect.stringMatching(/disk of the media engine is full/),
  });
});

it('says so when it fills up on the way', async () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  const writeAll = async () => {
    throw full;
  };
  const { status, error } = await upload(
    { openWrite: async () => ({ writeAll, sync: async () => {}, close: async () => {} }) },
    'abc',
    3,
  );
  expect(status).toBe(507);
  expect(error).toEqual({
    code: 'DISK_FULL',
    message: 'the disk of the media engine is full',
    hint: 'Free some space on the server.',
  });
});
