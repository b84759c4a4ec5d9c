import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serverAuthoriser } from '../../src/access/auth-server.ts';
import { allows, nothingCarried } from '../../src/access/grant.ts';
import { capturingLogger } from '../control/helpers.ts';
import { until } from '../serve/until.ts';

type Asked = Record<string, unknown> & { event: string };
let server: Server;
let url: string;
let asked: Asked[];
let authorization: string | undefined;
let answer: (request: Asked) => [status: number, body: unknown];
let log: ReturnType<typeof capturingLogger>;

beforeEach(async () => {
  asked = [];
  log = capturingLogger();
  server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text) as Asked;
    asked.push(body);
    ({ authorization } = request.headers);
    const [status, grant] = answer(body);
    response.statusCode = status;
    response.end(typeof grant === 'string' ? grant : JSON.stringify(grant));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/auth`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});

const soon = (seconds: number): number => Math.floor(Date.now() / 1000) + seconds;
const authorise = (path: string) =>
  serverAuthoriser({ url, node: 'node-a', logger: log, retryMs: 20 }).authorise({
    path,
    remoteAddress: '192.0.2.1:5000',
    via: 'webtransport',
  });

describe('an auth server', () => {
  it('is told all that is known of a session, and its grant holds', async () => {
    answer = () => [200, { publish: ['cam/**'], subscribe: '**' }];
    const grant = await authorise('/demo/room?jwt=x&y=1');
    expect(asked).toEqual([
      {
        event: 'connect',
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        node: 'node-a',
        transport: 'quic',
        remote: '192.0.2.1:5000',
        path: '/demo/room',
        query: 'jwt=x&y=1',
      },
    ]);
    expect(grant).toMatchObject({ kind: 'both', root: ['demo', 'room'] });
    expect(allows(grant.publish, ['demo', 'room', 'cam', 'low'])).toBe(true);
    expect(allows(grant.publish, ['demo', 'room', 'mic'])).toBe(false);
    grant.over?.({ ...nothingCarried, reason: 'peer', bytesSent: 7, bytesReceived: 8 });
    await until(() => asked.length === 2);
    expect(asked[1]).toMatchObject({ event: 'end', id: asked[0]!.id, reason: 'peer', bytes: { sent: 7, received: 8 } });
    expect(asked[1]!.duration).toEqual(expect.any(Number));
  });

  it('is shown the token of SETUP as moq-relay shows it: type 0, in base64url', async () => {
    answer = () => [200, { subscribe: ['**'] }];
    const authoriser = serverAuthoriser({ url, node: 'node-a', logger: log });
    await authoriser.authorise({ path: '/demo', token: 'a?~\u{e9}', remoteAddress: '192.0.2.1:5000' });
    expect(asked[0]).toMatchObject({ path: '/demo', token: { kind: 0, value: 'YT9-w6k' } });
    expect(asked[0]).not.toHaveProperty('query');
  });

  it('is shown the credentials of its URL', async () => {
    answer = () => [200, { subscribe: ['**'] }];
    url = url.replace('//', '//relay:p%40ss@');
    await authorise('/a');
    expect(authorization).toBe(`Basic ${Buffer.from('relay:p@ss').toString('base64')}`);
  });

  it('may lead the session to another root', async () => {
    answer = () => [200, { root: '/x7k2qp/room', subscribe: ['**'] }];
    const grant = await authorise('/vanity/room');
    expect(grant.root).toEqual(['x7k2qp', 'room']);
    expect(allows(grant.subscribe, ['x7k2qp', 'room', 'a'])).toBe(true);
  });

  it.each([
    [[401, {}], 'UNAUTHORIZED', 'the auth server refused'],
    [[403, {}], 'UNAUTHORIZED', 'the auth server refused'],
    [[403, { error: { message: 'input x is disabled' } }], 'UNAUTHORIZED', 'input x is disabled'],
    [[401, { error: { message: 'used' } }], 'UNAUTHORIZED', 'used'],
    [[403, { error: { message: 'two\nlines' } }], 'UNAUTHORIZED', 'the auth server refused'],
    [[500, {}], 'API_UNREACHABLE', 'the auth server answered 500'],
    [[200, 'oops'], 'API_UNREACHABLE', 'no grant'],
    [[200, {}], 'API_UNREACHABLE', 'no grant'],
    [[200, { subscribe: ['a*'] }], 'API_UNREACHABLE', 'no grant'],
    [[200, { subscribe: ['**'], revalidate: 5 }], 'API_UNREACHABLE', 'no grant'],
    [[200, { subscribe: ['**'], expires: 1 }], 'TOKEN_EXPIRED', 'expired already'],
  ] as const)('that answers %j admits nobody', async (given, code, message) => {
    answer = () => [...given];
    await expect(authorise('/demo')).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it('says who is a relay of the cluster', async () => {
    answer = () => [200, { publish: '**', subscribe: '**', peer: true }];
    expect((await authorise('/?cluster=1')).cluster).toBe(true);
    answer = () => [200, { publish: '**', subscribe: '**' }];
    expect((await authorise('/?cluster=1')).cluster).toBe(false);
    answer = () => [200, { publish: '**', subscribe: '**', peer: 'yes' }];
    await expect(authorise('/')).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
  });

  it('that is away admits nobody', async () => {
    const away = serverAuthoriser({ url: 'http://127.0.0.1:1/', node: 'a', logger: log });
    await expect(away.authorise({ path: '/', remoteAddress: '' })).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
  });

  it('is asked again, and widens or ends what it granted', async () => {
    answer = () => [200, { subscribe: ['a/**'], expires: soon(60), revalidate: 1 }];
    const grant = await authorise('/demo');
    const ended: string[] = [];
    const stop = grant.watch((reason) => ended.push(reason));
    answer = () => [200, { subscribe: ['**'], expires: soon(60), revalidate: 1 }];
    await until(() => allows(grant.subscribe, ['demo', 'b']));
    expect(asked[1]).toMatchObject({ event: 'revalidate', id: asked[0]!.id });
    // An outage is no verdict.
    answer = () => [500, {}];
    await until(() => log.lines.length >= 2);
    expect(ended).toEqual([]);
    answer = () => [200, { subscribe: ['a/**'], expires: soon(60), revalidate: 1 }];
    await until(() => ended.length > 0);
    expect(ended).toEqual(['the rights of this session were taken back']);
    stop();
  });

  it('ends a session when it refuses, or the grant expires', async () => {
    for (const [given, reason] of [
      [() => [403, {}], 'the auth server refused'],
      [() => [500, {}], 'the grant has expired'],
    ] as const) {
      answer = () => [200, { subscribe: ['**'], expires: soon(3), revalidate: 1 }];
      const grant = await authorise('/demo');
      answer = given as unknown as typeof answer;
      expect(await new Promise<string>((resolve) => grant.watch(resolve))).toBe(reason);
    }
  });

  it('is asked in the clear on this machine only', () => {
    for (const bad of ['http://auth.example/', 'unix:///run/auth.sock', 'nonsense']) {
      expect(() => serverAuthoriser({ url: bad, node: 'a', logger: log })).toThrow(/auth\.url/);
    }
  });
});
