import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ControlClient } from '../../src/contract/client.ts';
import { publishAuthoriser } from '../../src/contract/publish-grant.ts';

let server: Server;
let control: ControlClient;
let asked: { request: IncomingMessage; body: string }[];
/** undefined: never. */
let answer: { status: number; body: string; headers?: Record<string, string> } | undefined;

beforeEach(async () => {
  asked = [];
  answer = { status: 200, body: '{"ok":true}' };
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    asked.push({ request, body });
    if (answer !== undefined) response.writeHead(answer.status, answer.headers).end(answer.body);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  control = new ControlClient({ controlUrl: `http://127.0.0.1:${port}`, serviceToken: 'secret' });
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const claim = () => control.ask('engineClaim', { engineId: 'e', inputId: 'lv_1' });

describe('the client of the internal API', () => {
  it('posts JSON with the service token', async () => {
    expect(await claim()).toEqual({ ok: true });
    const { request, body } = asked[0]!;
    expect(request).toMatchObject({ method: 'POST', url: '/internal/engine/claim' });
    expect(request.headers).toMatchObject({ authorization: 'Bearer secret', 'content-type': 'application/json' });
    expect(JSON.parse(body)).toEqual({ engineId: 'e', inputId: 'lv_1' });
  });

  it('puts what a GET asks into the query, without what is absent', async () => {
    await control.ask('revocations', { since: 5, seen: undefined, wait: 10 });
    expect(asked[0]!.request).toMatchObject({ method: 'GET', url: '/internal/revocations?since=5&wait=10' });
  });

  it('writes the id into the path, whatever it is', async () => {
    await control.ask('assetState', { status: 'ready' }, { id: 'as_1/../x' });
    expect(asked[0]!.request.url).toBe('/internal/assets/as_1%2F..%2Fx/state');
  });

  it("rejects with control's refusal in its words", async () => {
    const error = { code: 'CONFLICT', message: 'another engine holds the input', hint: 'Stop the other.' };
    answer = { status: 409, body: JSON.stringify({ error }) };
    await expect(claim()).rejects.toMatchObject(error);
    answer = { status: 400, body: JSON.stringify({ error: { code: 'INVALID_ARGUMENT', message: 'm'.repeat(1000) } }) };
    await expect(claim()).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: 'm'.repeat(300) });
    answer = { status: 403, body: '{"error":{"code":"FORBIDDEN","message":7}}' };
    await expect(claim()).rejects.toMatchObject({ code: 'FORBIDDEN', message: 'the control plane refused' });
  });

  it.each([
    [500, '{"error":{"code":"INTERNAL","message":"x"}}'],
    [503, '{"error":{"code":"UNAUTHORIZED","message":"x"}}'],
    [404, '{}'],
    [404, '{"error":{"code":"MADE_UP"}}'],
    [404, 'nothing here'],
    [200, 'null'],
    [200, '"text"'],
    [200, '<html>'],
    [200, ''],
  ])('takes %i %s for no answer of control', async (status, body) => {
    answer = { status, body };
    await expect(claim()).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
  });

  it('says that a request is too large, whoever finds it so', async () => {
    answer = { status: 413, body: '<html>too large' };
    await expect(claim()).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' });
  });

  it('follows no redirect with the service token', async () => {
    answer = { status: 307, body: '', headers: { location: '/internal/elsewhere' } };
    await expect(claim()).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
    expect(asked).toHaveLength(1);
  });

  it('waits as long as it is told, and no longer than whoever asks', async () => {
    answer = undefined;
    const request = { engineId: 'e', inputId: 'lv_1' };
    await expect(control.ask('engineClaim', request, { timeoutMs: 20 })).rejects.toMatchObject({
      code: 'API_UNREACHABLE',
    });
    const gone = new AbortController();
    const waiting = control.ask('engineClaim', request, { signal: gone.signal });
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
  });
});

describe('a grant to publish', () => {
  const ask = () => publishAuthoriser(control)({ kind: 'publish', inputId: 'lv_1', ingest: 'rtmp' });

  it('is what control answered', async () => {
    const grant = { orgId: 'o', inputId: 'lv_1', namespace: ['a', 'b'], at: 1, record: false, ladder: 'none' };
    answer = { status: 200, body: JSON.stringify(grant) };
    expect(await ask()).toEqual(grant);
  });

  it.each([
    { orgId: 'o', inputId: 'lv_1' },
    { orgId: 'o', inputId: 'lv_1', namespace: [] },
    { orgId: 'o', inputId: 'lv_1', namespace: [1] },
    { inputId: 'lv_1', namespace: ['a'] },
  ])('is none without its names: %j', async (grant) => {
    answer = { status: 200, body: JSON.stringify(grant) };
    await expect(ask()).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
  });
});
