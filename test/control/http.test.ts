import { generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loggable } from '../../src/control/api/loggable.ts';
import { startControl } from '../../src/control/control.ts';
import { operations } from '../../src/control/operations/registry.ts';
import { newId, newKey } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/log.ts';
import { serviceToken, startTestControl, type TestControl, temporaryDir } from './helpers.ts';

/** Writes raw bytes to the listener and collects the answer until it closes. */
function raw(test: TestControl, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(test.control.port, '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

describe('tRPC wire form over raw HTTP', () => {
  const request = (test: TestControl, method: string, target: string, body?: string, key = test.adminKey) =>
    raw(
      test,
      `${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${key}\r\n` +
        (body === undefined
          ? '\r\n'
          : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
    );
  const split = (answer: string) => {
    const [head, body] = answer.split('\r\n\r\n') as [string, string];
    return { status: head.split('\r\n')[0], head: head.toLowerCase(), body: JSON.parse(body) };
  };

  it('is what existing SDKs send and read', async () => {
    await using test = await startTestControl();
    const created = split(
      await request(
        test,
        'POST',
        '/api/trpc/streams.liveInputs.create',
        '{"orgId":"org_local","name":"show","ingest":"srt","external_input_id":"e1"}',
      ),
    );
    expect(created.status).toBe('HTTP/1.1 200 OK');
    expect(created.head).toContain('content-type: application/json');
    expect(created.head).toMatch(/x-request-id: req_/);
    const { id, stream_key_cleartext } = created.body.result.data;
    expect(created.body).toEqual({
      result: {
        data: {
          id,
          external_input_id: id,
          name: 'show',
          status: 'idle',
          ingest: 'srt',
          enabled: true,
          record: false,
          ladder: 'none',
          createdAt: new Date(test.clock.now).toISOString(),
          stream_key_cleartext,
        },
      },
    });
    const input = encodeURIComponent(JSON.stringify({ orgId: 'org_local', id }));
    const got = split(await request(test, 'GET', `/api/trpc/streams.liveInputs.get?input=${input}`));
    expect(got.body.result.data).toMatchObject({ id, external_input_id: id });
    const whole = split(await request(test, 'GET', '/api/trpc/streams.liveInputs.list'));
    expect(whole.body.result.data).toEqual([got.body.result.data]);
  });

  it('leaves the own name of an input alone when a client sends back what it was shown', async () => {
    await using test = await startTestControl();
    const call = async (procedure: string, body: object) =>
      (await test.call('POST', `/trpc/streams.liveInputs.${procedure}`, { body })).body.result.data;
    const { id, external_input_id } = await call('create', { name: 'a', external_input_id: 'mine' });
    expect(external_input_id).toBe(id);
    await call('update', { id, external_input_id, name: 'b' });
    const shown = async () => (await test.call('GET', `/v1/live-inputs/${id}`)).body;
    expect(await shown()).toMatchObject({ name: 'b', external_input_id: 'mine' });
    await call('update', { id, external_input_id: null });
    expect(await shown()).toMatchObject({ name: 'b', external_input_id: null });
  });

  it.each(['/api/trpc', '/trpc'])('lists page by page, and every signing key, at %s', async (mount) => {
    await using test = await startTestControl();
    const list = (what: string, input: object) =>
      test.call('GET', `${mount}/streams.${what}.list?input=${encodeURIComponent(JSON.stringify(input))}`);
    const names = async (input: object) =>
      (await list('liveInputs', input)).body.result.data.map((row: { name: string }) => row.name);
    for (const name of ['a', 'b', 'c']) {
      test.clock.now += 1000;
      await test.call('POST', '/v1/live-inputs', { body: { name } });
    }
    expect(await names({ orgId: 'org_local', page: 1, perPage: 2 })).toEqual(['c', 'b']);
    expect(await names({ page: 2, perPage: 2 })).toEqual(['a']);
    expect(await names({ page: 2, perPage: 1, status: 'idle' })).toEqual(['b']);
    expect(await names({ page: 1000, perPage: 1 })).toEqual([]);
    for (const [wrong, message] of [
      [{ page: 0 }, 'page: a whole number from 1 on'],
      [{ page: '2' }, 'page: a whole number from 1 on'],
      [{ perPage: 201 }, 'perPage: a whole number from 1 to 200'],
      [{ perPage: 1.5 }, 'perPage: a whole number from 1 to 200'],
    ] as const) {
      const refused = await list('liveInputs', wrong);
      expect(refused.status).toBe(400);
      expect(refused.body.error.message).toBe(message);
    }
    const pem = () => generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const made: string[] = [];
    for (let i = 0; i < 55; i++) {
      const key = await test.call('POST', '/v1/signing-keys/import', { body: { publicKeyPem: pem() } });
      made.push(key.body.id);
    }
    const kids = (await list('signingKeys', {})).body.result.data.map((key: { id: string }) => key.id);
    expect(kids).toEqual(expect.arrayContaining(made));
  });

  it.each([
    ['GET', 'streams.nothing.here', undefined, 404, 'NOT_FOUND', -32004],
    ['GET', 'streams.liveInputs.create', undefined, 405, 'METHOD_NOT_SUPPORTED', -32005],
    ['POST', 'streams.liveInputs.list', '{}', 405, 'METHOD_NOT_SUPPORTED', -32005],
    ['POST', 'streams.liveInputs.create', '{"name":', 400, 'PARSE_ERROR', -32700],
    ['GET', 'streams.liveInputs.get?input=%7B', undefined, 400, 'PARSE_ERROR', -32700],
    ['POST', 'streams.liveInputs.create', '{"name":7}', 400, 'BAD_REQUEST', -32600],
    ['POST', 'streams.liveInputs.create', '"x"', 400, 'BAD_REQUEST', -32600],
    ['GET', 'streams.liveInputs.list?batch=1', undefined, 400, 'BAD_REQUEST', -32600],
    ['POST', 'streams.liveInputs.create', 'x'.repeat(1_100_000), 413, 'PAYLOAD_TOO_LARGE', -32013],
  ])('%s %s answers an error in its shape', async (method, path, body, httpStatus, code, number) => {
    await using test = await startTestControl();
    const answer = await fetch(`${test.base}/api/trpc/${path}`, {
      method,
      headers: { authorization: `Bearer ${test.adminKey}` },
      ...(body === undefined ? {} : { body }),
    });
    expect(answer.status).toBe(httpStatus);
    expect(await answer.json()).toEqual({
      error: {
        message: expect.any(String),
        code: number,
        data: { code, httpStatus, path: path.replace(/\?.*/, '') },
      },
    });
  });
});

describe('listener', () => {
  it('names the port that is taken and what to pass', async () => {
    await using test = await startTestControl();
    await using dir = await temporaryDir();
    const second = startControl({
      host: '127.0.0.1',
      port: test.control.port,
      dataDir: dir.path,
      serviceToken,
      logger: silentLogger,
    });
    await expect(second).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(test.control.port)),
      hint: expect.stringContaining('--http-port'),
    });
  });

  it('refuses a body over 1 MiB, declared or not', async () => {
    await using test = await startTestControl();
    const post = (body: BodyInit) =>
      fetch(`${test.base}/v1/live-inputs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${test.adminKey}` },
        body,
        duplex: 'half',
      } as RequestInit);
    expect((await post('x'.repeat(1_048_577))).status).toBe(413);
    let sent = 0;
    const endless = new ReadableStream({
      pull(controller) {
        sent += 65_536;
        if (sent > 3_000_000) controller.close();
        else controller.enqueue(new Uint8Array(65_536));
      },
    });
    expect((await post(endless)).status).toBe(413);
    expect((await post(JSON.stringify({ name: 'x', pad: 'x'.repeat(1_000_000) }))).status).toBe(201);
  });

  it('survives garbage and closes with open connections', async () => {
    const test = await startTestControl();
    expect(await raw(test, 'garbage\r\n\r\n')).toMatch(/^HTTP\/1.1 400/);
    const hanging = raw(test, 'POST /v1/live-inputs HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{').catch(() => '');
    expect((await fetch(`${test.base}/healthz`)).status).toBe(200);
    await test.control.close();
    await hanging;
    await test[Symbol.asyncDispose]();
    await expect(fetch(`${test.base}/healthz`)).rejects.toThrow();
  });

  it('takes a client that leaves in the middle of a body as no error of ours', async () => {
    await using test = await startTestControl();
    const socket = connect(test.control.port, '127.0.0.1', () =>
      socket.write(
        `POST /v1/live-inputs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${test.adminKey}\r\nContent-Length: 9\r\n\r\n{`,
        () => socket.destroy(),
      ),
    );
    await expect.poll(() => test.log.lines.join('\n'), { timeout: 5000 }).toContain('"status":408');
    expect(test.log.lines.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  it('slows down an address that keeps failing, and only its failures', async () => {
    await using test = await startTestControl();
    const attempt = (key: string, address: string) => test.call('GET', '/v1/whoami', { key, address });
    const statuses: number[] = [];
    for (let i = 0; i < 22; i++) statuses.push((await attempt(newKey('ak_live'), 'a')).status);
    expect(statuses).toEqual([...Array(20).fill(401), 429, 429]);
    const limited = await attempt('x', 'a');
    expect(limited.body.error.code).toBe('RATE_LIMITED');
    expect(limited.headers.get('retry-after')).toBe('3');
    expect((await attempt(newKey('ak_live'), 'b')).status).toBe(401);
    expect((await attempt(test.adminKey, 'a')).status).toBe(200);
    test.clock.now += 3000;
    expect((await attempt('x', 'a')).status).toBe(401);
  });
});

describe('REST', () => {
  it('answers unknown addresses and methods with an error body', async () => {
    await using test = await startTestControl();
    const missing = await test.call('GET', '/v1/nothing');
    expect(missing.status).toBe(404);
    expect(missing.body.error).toEqual({
      code: 'NOT_FOUND',
      message: expect.any(String),
      requestId: missing.headers.get('x-request-id'),
    });
    for (const field of ['__proto__', 'constructor', 'toString'])
      expect((await test.call('GET', `/v1/live-inputs?${field}=1`)).status).toBe(200);
    const method = await test.call('DELETE', '/v1/live-inputs');
    expect([method.status, method.body.error.message]).toEqual([405, 'this address takes POST, GET']);
    expect((await test.call('GET', '/v1/whoami', { key: null })).headers.get('www-authenticate')).toBe('Bearer');
  });

  it('describes itself in OpenAPI 3.1', async () => {
    await using test = await startTestControl();
    const { body } = await test.call('GET', '/v1/openapi.json', { key: null });
    expect(body.openapi).toBe('3.1.0');
    const described = Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(operations.map(({ rest }) => `${rest.method} /v1${rest.path}`).sort());
    const create = body.paths['/v1/live-inputs'].post;
    expect(create.requestBody.content['application/json'].schema).toMatchObject({
      required: ['name'],
      properties: { ingest: { enum: ['rtmp', 'srt', 'whip', 'fmp4'], default: 'rtmp' } },
    });
    expect(create.responses['201'].content['application/json'].schema.properties).toHaveProperty('urls');
    const list = body.paths['/v1/live-inputs'].get;
    expect(list.parameters.map((parameter: { name: string }) => parameter.name)).toEqual([
      'orgId',
      'cursor',
      'limit',
      'status',
      'ingest',
    ]);
    const rotate = body.paths['/v1/live-inputs/{id}/rotate-stream-key'].post;
    expect(rotate.parameters).toMatchObject([
      { name: 'id', in: 'path', required: true },
      { $ref: '#/components/parameters/IdempotencyKey' },
    ]);
  });
});

describe('public addresses', () => {
  it('tells players where the relay is', async () => {
    await using test = await startTestControl();
    const read = () => test.call('GET', '/endpoints.json', { key: null });
    expect((await read()).body).toEqual({ relay: null });
    test.control.setEndpoints({ relayUrl: 'https://h:1', certificateSha256: 'ab', rtmpUrl: 'rtmp://h:2' });
    const answer = await read();
    expect(answer.body).toEqual({ relay: { url: 'https://h:1', certificateSha256: 'ab' } });
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('has health and metrics', async () => {
    await using test = await startTestControl();
    expect((await test.call('GET', '/healthz', { key: null })).status).toBe(200);
    expect((await test.call('GET', '/readyz', { key: null })).status).toBe(200);
    await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } });
    const { body } = await test.call('GET', '/metrics', { key: null });
    expect(body).toContain('streams_control_http_requests_total{method="POST",status="201"} 1');
    expect(body).toContain('streams_live_inputs{status="idle"} 1');
  });

  it('hands out the web pages, and nothing beside them', async () => {
    await using dir = await temporaryDir();
    const webDir = join(dir.path, 'web');
    await mkdir(join(webDir, 'assets'), { recursive: true });
    await writeFile(join(dir.path, 'secret.js'), 'secret');
    await writeFile(join(webDir, 'index.html'), 'index');
    await writeFile(join(webDir, 'watch.html'), 'watch');
    await writeFile(join(webDir, 'assets', 'watch-a1.js'), 'code');
    await using test = await startTestControl({ webDir });
    const get = (path: string) => test.call('GET', path, { key: null });
    expect((await get('/')).body).toBe('index');
    const watch = await get(`/watch/${newId('lv')}?tok=x`);
    expect(watch.body).toBe('watch');
    expect(watch.headers.get('referrer-policy')).toBe('no-referrer');
    expect(watch.headers.get('x-content-type-options')).toBe('nosniff');
    const policy = watch.headers.get('content-security-policy');
    for (const rule of ["script-src 'self'", 'connect-src *', "media-src 'self' blob:", "frame-ancestors 'self'"])
      expect(policy).toContain(rule);
    const asset = await get('/assets/watch-a1.js');
    expect([asset.body, asset.headers.get('content-type')]).toEqual(['code', 'text/javascript; charset=utf-8']);
    for (const path of [
      '/watch/x',
      '/watch/..%2f..%2fsecret.js',
      '/assets/nothing.js',
      '/assets/..%2f..%2fsecret.js',
      '/assets/%2e%2e%2f%2e%2e%2fsecret.js',
      '/assets/..%5csecret.js',
      '/assets/.hidden',
      '/assets/',
      '/secret.js',
      '/assets/a%00.js',
    ])
      expect((await get(path)).status, path).toBe(404);
    for (const target of ['/assets/../../secret.js', '/../secret.js'])
      expect(await raw(test, `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)).not.toContain('secret');
  });

  it('says in words that the web pages are not built', async () => {
    await using test = await startTestControl({ webDir: '/nonexistent' });
    for (const path of ['/', `/watch/${newId('lv')}`]) {
      const answer = await test.call('GET', path, { key: null });
      expect(answer.status).toBe(503);
      expect(answer.body).toContain('npm run build');
    }
  });
});

it('logs paths without keys', () => {
  expect(loggable(`/a/${newKey('sk_live')}/b?tok=1`)).toBe('/a/sk_live_…/b');
  expect(loggable('/a/eyJhbGciOiJ9.eyJzdWIiOiIx.c2ln')).toBe('/a/jwt…');
  expect(loggable(`/${'x'.repeat(9999)}`)).toHaveLength(256);
});
