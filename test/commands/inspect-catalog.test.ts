import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeHangCatalog } from '../../src/codec/catalog/hang-catalog.ts';
import { encodeMsfCatalog } from '../../src/codec/catalog/msf-catalog.ts';
import { type Catalog, encodeCatalog } from '../../src/codec/catalog/streams-catalog.ts';
import { commandLine } from './command-line.ts';

const catalog: Catalog = {
  version: 1,
  live: true,
  tracks: [{ name: 'video/720p', kind: 'video', codec: 'avc1.64001f', width: 1280, height: 720, init: 'AAAA' }],
};

describe('inspect catalog, of a file', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'streams-catalog-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each([
    ['streams', encodeCatalog(catalog)],
    ['msf', encodeMsfCatalog(catalog, 0)],
    ['msf', encodeMsfCatalog({ ...catalog, live: false }, 0)],
    ['hang', encodeHangCatalog(catalog)],
  ])('knows the %s format by itself', async (format, bytes) => {
    const file = join(folder, 'catalog.json');
    await writeFile(file, bytes);
    const { code, lines, stderr } = await commandLine(['inspect', 'catalog', file, '--json']);
    expect(code, stderr).toBe(0);
    expect(lines()[0]).toMatchObject({ type: 'catalog', format });
    const shown = await commandLine(['inspect', 'catalog', file]);
    if (bytes.length > 60) expect(shown.stdout).toContain('1280×720');
  });

  it('is fetched from where an asset has it, with the token of its URL', async () => {
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url!);
      response.writeHead(request.url === '/vod/pb_one/catalog.json?tok=secret' ? 200 : 401);
      response.end(encodeCatalog({ ...catalog, live: false }));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/vod/pb_one/catalog.json?tok=`;
      const { code, lines, stderr } = await commandLine(['inspect', 'catalog', `${url}secret`, '--json']);
      expect(code, stderr).toBe(0);
      expect(lines()[0]).toMatchObject({ type: 'catalog', format: 'streams', catalog: { live: false } });
      const refused = await commandLine(['inspect', 'catalog', `${url}wrong`]);
      expect(refused.code).toBe(3);
      expect(refused.stderr).toContain('answered 401');
      expect(refused.stderr).not.toContain('wrong');
      expect(asked).toHaveLength(2);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  it('says what is wrong with one', async () => {
    const file = join(folder, 'broken.json');
    await writeFile(file, '{"version":"draft-01","tracks":[{"role":"video"}]}');
    const { code, stderr } = await commandLine(['inspect', 'catalog', file]);
    expect(code).toBe(1);
    expect(stderr).toContain('MSF catalog: a track without name or codec');
  });
});
