import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startVodStack } from './stack.ts';

it('an asset whose record is torn is told as errored; the engine and the other assets go on', async () => {
  await using stack = await startVodStack();
  await stack.engine.close();
  const torn = ['{"version":1,"asse', '', 'null', '[]', '{"state":"queued"}'];
  const ids: string[] = [];
  for (const text of [...torn, undefined]) {
    const { id, playbackId } = (await stack.control.call('POST', '/v1/assets', { body: { name: 'torn' } })).body;
    ids.push(id);
    const whole = { version: 1, assetId: id, playbackId, orgId: 'org_local', origin: 'upload', state: 'queued' };
    const more = { attempts: 3, length: 1, filename: '', createdAt: Date.now() };
    await mkdir(join(stack.mediaDir, id));
    await writeFile(join(stack.mediaDir, id, 'asset.json'), text ?? JSON.stringify({ ...whole, ...more }));
    await writeFile(join(stack.mediaDir, id, 'told.json'), text ?? 'null');
  }
  await stack.restart({ assetSweepMs: 50 });
  const reason = 'its record on the disk of the media engine cannot be read';
  for (const id of ids.slice(0, -1))
    expect(await stack.settled(id)).toMatchObject({ status: 'errored', error: reason });
  expect((await stack.settled(ids.at(-1)!)).error).toBe('packaging it ended the media engine 3 times');
  // Those that are gone for control are swept, torn ones too.
  for (const id of ids) await stack.control.call('DELETE', `/v1/assets/${id}`);
  await expect.poll(() => readdir(stack.mediaDir), { timeout: 10_000 }).toEqual([]);
});
