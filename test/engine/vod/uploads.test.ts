import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../harness.ts';
import { startVodStack, type VodStack } from './stack.ts';
import { tusUpload } from './tus-client.ts';

const maxUploadBytes = 8 << 20;
let stack: VodStack;
let endpoint: string;
let headers: Record<string, string>;
beforeAll(async () => {
  // Nothing here is media: what is uploaded stays in its folder until it is looked at.
  stack = await startVodStack({ maxUploadBytes });
  endpoint = `${stack.base}/uploads`;
  headers = { authorization: `Bearer ${stack.control.adminKey}` };
});
afterAll(() => stack?.[Symbol.asyncDispose]());

const idOf = (url: string | null) => /as_[0-9A-Za-z]{22}/.exec(url ?? '')?.[0] ?? '';
const noise = (size: number) => Buffer.from(Array.from({ length: size }, (_, i) => (i * 7919) >> 5));
const stored = (id: string) => readFile(join(stack.mediaDir, id, 'source'));
const tus = (method: string, url: string, more: Record<string, string> = {}, body?: string) =>
  fetch(stack.base + url, {
    method,
    headers: { ...headers, 'tus-resumable': '1.0.0', ...more },
    ...(body === undefined ? {} : { body }),
  });
const created = async (size: number) =>
  (await tus('POST', '/uploads', { 'upload-length': String(size) })).headers.get('location')!;
const octets = { 'content-type': 'application/offset+octet-stream' };

describe('tus-js-client', () => {
  it.each(['tus-v1', 'ietf-draft-03', 'ietf-draft-05'] as const)(
    '%s: is cut, and goes on where it was',
    async (protocol) => {
      const bytes = noise(3_000_000);
      const chunks = {
        endpoint,
        headers,
        protocol,
        chunkSize: 1_000_000,
        metadata: { filename: 'a "b".mp4', name: 'Film ß' },
      };
      // The client dies in its second chunk.
      const { url } = await tusUpload(bytes, chunks, 1_500_000);
      expect(await stack.asset(idOf(url))).toMatchObject({ status: 'uploading' });
      let resent = 0;
      const again = await tusUpload(bytes, {
        ...chunks,
        uploadUrl: url!,
        onBeforeRequest: (request) => void (request.getMethod() === 'PATCH' && resent++),
      });
      expect(again).toEqual({ url, error: undefined });
      expect(resent).toBeLessThan(3);
      const asset = await stack.settled(idOf(url));
      expect(asset).toMatchObject({ status: 'errored', bytes: bytes.length });
      if (protocol === 'tus-v1') expect(asset.name).toBe('Film ß');
    },
  );

  it('goes on after the engine was killed between two chunks', async () => {
    const bytes = noise(2_000_000);
    const { url } = await tusUpload(bytes, { endpoint, headers, chunkSize: 500_000 }, 1_200_000);
    await stack.engine.close();
    await stack.restart();
    expect((await tusUpload(bytes, { endpoint, headers, uploadUrl: url! })).error).toBeUndefined();
    expect(await stack.settled(idOf(url))).toMatchObject({ bytes: bytes.length });
  });

  it('sends a stream whose length nobody knows', async () => {
    const source = new PassThrough();
    source.end(noise(700_000));
    const { url, error } = await tusUpload(source as never, {
      endpoint,
      headers,
      chunkSize: 200_000,
      uploadLengthDeferred: true,
    });
    expect(error).toBeUndefined();
    expect(await stack.settled(idOf(url))).toMatchObject({ bytes: 700_000 });
  });
});

describe('an upload', () => {
  it('has exactly the bytes that came, whatever became of the connections', async () => {
    const bytes = noise(50_000);
    const url = await created(bytes.length + 1);
    const { hostname, port } = new URL(stack.base);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `PATCH ${url} HTTP/1.1\r\nHost: x\r\nAuthorization: ${headers.authorization}\r\nTus-Resumable: 1.0.0\r\nContent-Type: application/offset+octet-stream\r\nUpload-Offset: 0\r\nContent-Length: ${bytes.length + 1}\r\n\r\n`,
    );
    socket.write(bytes);
    await until(async () => (await stored(idOf(url))).length === bytes.length, 'all bytes are stored');
    // That connection stands open, and is ended by who asks again: no lock, no waiting.
    const asked = performance.now();
    const offset = (await tus('HEAD', url)).headers.get('upload-offset');
    expect(performance.now() - asked).toBeLessThan(2000);
    expect(offset).toBe(String(bytes.length));
    expect((await stored(idOf(url))).equals(bytes)).toBe(true);
  });

  it('refuses an offset that is not its own, and says which is', async () => {
    const url = await created(10);
    await tus('PATCH', url, { ...octets, 'upload-offset': '0' }, '1234');
    const wrong = await tus('PATCH', url, { ...octets, 'upload-offset': '2' }, '34');
    expect([wrong.status, wrong.headers.get('upload-offset')]).toEqual([409, '4']);
    const ietf = await fetch(stack.base + url, {
      method: 'PATCH',
      headers: {
        ...headers,
        'content-type': 'application/partial-upload',
        'upload-draft-interop-version': '8',
        'upload-offset': '2',
        'upload-complete': '?1',
      },
      body: '34567890',
    });
    expect([ietf.status, ietf.headers.get('upload-offset'), ietf.headers.get('upload-complete')]).toEqual([
      409,
      '4',
      '?0',
    ]);
    expect(ietf.headers.get('content-type')).toBe('application/problem+json');
    expect(await ietf.json()).toMatchObject({
      type: 'https://iana.org/assignments/http-problem-types#mismatching-upload-offset',
      'expected-offset': 4,
      'provided-offset': 2,
    });
  });

  it('opens to keys of its org that may write, and to no others', async () => {
    const url = await created(10);
    const { body: other } = await stack.control.call('POST', '/v1/orgs', { body: { name: 'other' } });
    const { body: reader } = await stack.control.call('POST', '/v1/api-keys', {
      body: { name: 'r', scopes: ['streams:read'] },
    });
    const as = (key: string | undefined, method: string) =>
      fetch(stack.base + url, {
        method,
        headers: { 'tus-resumable': '1.0.0', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
      });
    for (const method of ['HEAD', 'DELETE']) {
      expect((await as(undefined, method)).status).toBe(401);
      expect((await as('ak_live_wrong', method)).status).toBe(401);
      expect((await as(reader.key_cleartext ?? reader.api_key_cleartext, method)).status).toBe(403);
      expect((await as(other.api_key_cleartext, method)).status).toBe(404);
    }
    expect((await as(stack.control.adminKey, 'HEAD')).status).toBe(200);
    // Nor can another org fill this one's asset.
    const { body: waiting } = await stack.control.call('POST', '/v1/assets', { body: { name: 'waiting' } });
    const into = (key: string) =>
      fetch(`${endpoint}?asset=${waiting.id}`, {
        method: 'POST',
        headers: { 'tus-resumable': '1.0.0', 'upload-length': '5', authorization: `Bearer ${key}` },
      });
    expect((await into(other.api_key_cleartext)).status).toBe(404);
    expect((await into(stack.control.adminKey)).headers.get('location')).toBe(`/uploads/${waiting.id}`);
    expect((await into(stack.control.adminKey)).status).toBe(409);
  });

  it('is no larger than allowed, nor than it said', async () => {
    const large = await tus('POST', '/uploads', { 'upload-length': String(maxUploadBytes + 1) });
    expect(large.status).toBe(413);
    expect((await large.json()).error.message).toBe(
      `an upload may have ${maxUploadBytes} bytes, not ${maxUploadBytes + 1}`,
    );
    const url = await created(4);
    const more = await tus('PATCH', url, { ...octets, 'upload-offset': '0' }, '12345');
    expect(more.status).toBe(413);
    expect((await stored(idOf(url))).length).toBeLessThan(5);
    const huge = await fetch(endpoint, {
      method: 'POST',
      headers: { ...headers, 'upload-complete': '?1' },
      body: Buffer.alloc(maxUploadBytes + 1),
    });
    expect(huge.status).toBe(413);
  });

  it('takes its name for a name, whatever stands in it', async () => {
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    const hostile = `filename ${base64('../../../etc/passwd\n\u0000x')}`;
    const answer = await tus('POST', '/uploads', { 'upload-length': '3', 'upload-metadata': hostile });
    expect(await stack.asset(idOf(answer.headers.get('location')))).toMatchObject({ name: '../../../etc/passwd  x' });
    for (const metadata of ['filename !!!', 'a a a', `a ${base64('x')},a ${base64('y')}`, `x ${'A'.repeat(9000)}`])
      expect((await tus('POST', '/uploads', { 'upload-length': '3', 'upload-metadata': metadata })).status).toBe(400);
    for (const path of [
      '/uploads/..%2f..%2fetc',
      '/uploads/as_../../../../etc/passwd',
      '/uploads/%00',
      '/uploads/as_1',
    ])
      expect((await tus('HEAD', path)).status).toBe(404);
    expect((await tus('POST', '/uploads?asset=../../x', { 'upload-length': '3' })).status).toBe(404);
  });

  it('can be cancelled', async () => {
    const url = await created(10);
    expect((await tus('DELETE', url)).status).toBe(204);
    expect((await tus('HEAD', url)).status).toBe(404);
    expect(await stack.asset(idOf(url))).toMatchObject({ status: 'errored', error: 'the upload was cancelled' });
  });

  it('is thrown away when nothing came for long', async () => {
    await using other = await startVodStack({ uploadAgeSeconds: 0, assetSweepMs: 50 });
    const sent = await fetch(`${other.base}/uploads`, {
      method: 'POST',
      headers: { authorization: `Bearer ${other.control.adminKey}`, 'tus-resumable': '1.0.0', 'upload-length': '3' },
    });
    const asset = await other.settled(idOf(sent.headers.get('location')));
    expect(asset.error).toMatch(/^the upload was not finished/);
  });
});

describe("the IETF's resumable upload", () => {
  /** Raw, to see informational answers. */
  const raw = (head: string, body: Buffer): Promise<string> =>
    new Promise((resolve) => {
      const { hostname, port } = new URL(stack.base);
      let text = '';
      const socket = connect(Number(port), hostname, () => {
        socket.write(
          `${head}\r\nHost: x\r\nConnection: close\r\nAuthorization: ${headers.authorization}\r\nContent-Length: ${body.length}\r\n\r\n`,
        );
        socket.write(body);
      });
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      socket.on('close', () => resolve(text));
    });

  it('tells those who know it of the upload before it is there, and nobody else', async () => {
    for (const version of ['5', '6', '8']) {
      const text = await raw(
        `POST /uploads HTTP/1.1\r\nUpload-Draft-Interop-Version: ${version}\r\nUpload-Complete: ?1`,
        noise(1000),
      );
      expect(text).toMatch(/^HTTP\/1\.1 104 /);
      const [early, final] = [text.slice(0, text.indexOf('\r\n\r\n')), text.slice(text.indexOf('\r\n\r\n') + 4)];
      expect(early).toMatch(/location: \/uploads\/as_/i);
      expect(early).toContain(`upload-limit: max-size=${maxUploadBytes}, max-age=86400`);
      expect(early).not.toMatch(/upload-offset/i);
      expect(final).toMatch(/^HTTP\/1\.1 201 /);
      expect(final).toMatch(/upload-complete: \?1/i);
    }
    for (const version of ['', 'Upload-Draft-Interop-Version: 3\r\n', 'Upload-Draft-Interop-Version: 99\r\n'])
      expect(await raw(`POST /uploads HTTP/1.1\r\n${version}Upload-Complete: ?1`, noise(10))).toMatch(
        /^HTTP\/1\.1 201 /,
      );
  });

  it('tells how far it is', async () => {
    const head = 'POST /uploads HTTP/1.1\r\nUpload-Draft-Interop-Version: 8\r\nUpload-Complete: ?1';
    const text = await raw(head, Buffer.alloc(6 << 20));
    const offsets = [...text.matchAll(/^upload-offset: (\d+)\r$/gim)].map(([, offset]) => Number(offset));
    expect(offsets.length).toBeGreaterThan(1);
    expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
    expect(offsets.at(-1)).toBe(6 << 20);
  });

  it('answers where an upload stands, uncached, and what may be uploaded', async () => {
    const url = await created(10);
    const head = await fetch(stack.base + url, {
      method: 'HEAD',
      headers: { ...headers, 'upload-draft-interop-version': '6' },
    });
    expect(head.status).toBe(204);
    expect(Object.fromEntries(head.headers)).toMatchObject({
      'cache-control': 'no-store',
      'upload-offset': '0',
      'upload-complete': '?0',
      'upload-length': '10',
      'upload-draft-interop-version': '6',
    });
    const options = await fetch(endpoint, { method: 'OPTIONS' });
    expect(options.headers.get('upload-limit')).toBe(`max-size=${maxUploadBytes}, max-age=86400`);
    expect(options.headers.get('tus-version')).toBe('1.0.0');
  });
});
