import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { allows } from '../../../src/access/grant.ts';
import { generateKey } from '../../../src/access/relay-token/generate.ts';
import type { RelayKey } from '../../../src/access/relay-token/key.ts';
import { openKeySource } from '../../../src/access/relay-token/key-source.ts';
import { tokenAuthoriser } from '../../../src/access/relay-token/path-authoriser.ts';
import { parsePrefix } from '../../../src/access/relay-token/paths.ts';
import { signToken } from '../../../src/access/relay-token/token.ts';

let folder: string;
let key: RelayKey;
let second: RelayKey;
let server: Server;
let url: string;
let answer = 200;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-keys-'));
  key = await generateKey({ algorithm: 'HS256', kid: 'one' });
  second = await generateKey({ algorithm: 'HS256', kid: 'two' });
  for (const each of [key, second]) await writeFile(join(folder, `${each.kid}.jwk`), JSON.stringify(each.jwk));
  server = createServer((request, response) => {
    response.statusCode = request.url === '/keys/two.jwk' || answer !== 200 ? answer : 404;
    response.end(JSON.stringify(second.jwk));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await rm(folder, { recursive: true });
});

const nobody = { publish: [], subscribe: [] };
const anon = { publish: [parsePrefix([], 'anon')], subscribe: [parsePrefix([], 'anon'), parsePrefix([], 'demo')] };
const request = (path: string) => ({ path, remoteAddress: '127.0.0.1:1' });
const refusal = { code: 'UNAUTHORIZED' };

describe('anonymous sessions', () => {
  it('may what is public, as far as their path reaches', async () => {
    const authoriser = tokenAuthoriser({ anonymous: anon });
    const grant = await authoriser.authorise(request('/anon/room%20one'));
    expect(grant).toMatchObject({ kind: 'both', root: ['anon', 'room one'] });
    expect(allows(grant.publish, ['anon', 'room one', 'x'])).toBe(true);
    expect(allows(grant.publish, ['demo'])).toBe(false);
    expect((await authoriser.authorise(request('/demo'))).kind).toBe('playback');
    expect(allows((await authoriser.authorise(request('/'))).subscribe, ['demos'])).toBe(false);
    await expect(authoriser.authorise(request('/secret'))).rejects.toMatchObject(refusal);
    await expect(authoriser.authorise(request('/anonymous'))).rejects.toMatchObject(refusal);
  });

  it('have no token: one that is presented and refused is not ignored', async () => {
    const token = await signToken(key, { root: '', publish: [''], subscribe: [''] });
    await expect(tokenAuthoriser({ anonymous: anon }).authorise(request(`/anon?jwt=${token}`))).rejects.toMatchObject(
      refusal,
    );
    const keys = await openKeySource({ folder });
    await expect(
      tokenAuthoriser({ keys, anonymous: anon }).authorise(request('/anon?jwt=rubbish')),
    ).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: 'it is not a token',
    });
    expect((await tokenAuthoriser({ keys, anonymous: anon }).authorise(request('/anon?jwt='))).kind).toBe('both');
  });

  it('with a path that cannot be are not found', async () => {
    const authoriser = tokenAuthoriser({ anonymous: anon });
    for (const path of ['/anon/%', `/${'a/'.repeat(40)}`, `/${'a'.repeat(20_000)}`]) {
      await expect(authoriser.authorise(request(path))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
  });
});

describe('sessions with a token', () => {
  it('may what it says, at and below its root', async () => {
    const authoriser = tokenAuthoriser({
      keys: await openKeySource({ file: join(folder, 'one.jwk') }),
      anonymous: nobody,
    });
    const token = await signToken(key, { root: 'demo', publish: ['my-stream'], subscribe: [''] });
    const grant = await authoriser.authorise(request(`/demo?jwt=first&jwt=${token}`));
    expect(grant.root).toEqual(['demo']);
    expect(allows(grant.publish, ['demo', 'my-stream', 'x'])).toBe(true);
    expect(allows(grant.publish, ['demo', 'my-streams'])).toBe(false);
    expect(allows(grant.subscribe, ['demo', 'anything'])).toBe(true);
    expect(allows(grant.subscribe, ['elsewhere'])).toBe(false);
    expect((await authoriser.authorise(request(`/demo/room?jwt=${token}`))).kind).toBe('playback');
    expect((await authoriser.authorise(request(`/?jwt=${token}`))).root).toEqual([]);
    await expect(authoriser.authorise(request(`/other?jwt=${token}`))).rejects.toMatchObject(refusal);
    await expect(authoriser.authorise(request('/demo'))).rejects.toMatchObject(refusal);
  });

  it('may show it beside the path: there it counts when the path has none', async () => {
    const keys = await openKeySource({ file: join(folder, 'one.jwk') });
    const authoriser = tokenAuthoriser({ keys, anonymous: nobody });
    const token = await signToken(key, { root: 'demo', publish: [], subscribe: [''] });
    const invalid = { ...refusal, code: 'TOKEN_INVALID' };
    const grant = await authoriser.authorise({ ...request('/demo'), token });
    expect(allows(grant.subscribe, ['demo', 'cam'])).toBe(true);
    await expect(authoriser.authorise({ ...request('/demo'), token: 'none' })).rejects.toMatchObject(invalid);
    await expect(authoriser.authorise({ ...request('/demo?jwt=none'), token })).rejects.toMatchObject(invalid);
  });

  it('end when it expires', async () => {
    let now = Date.now();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const keys = { find: async () => key };
      const authoriser = tokenAuthoriser({ keys, anonymous: nobody, now: () => now });
      const expiresAt = Math.floor(now / 1000) + 60;
      const token = await signToken(key, { root: '', publish: [''], subscribe: [], expiresAt });
      const grant = await authoriser.authorise(request(`/a?jwt=${token}`));
      const ended: string[] = [];
      const stop = grant.watch((reason) => ended.push(reason));
      expect(grant.lapsed()).toBeUndefined();
      now = expiresAt * 1000;
      vi.advanceTimersByTime(61_000);
      expect(ended).toEqual(['the token has expired']);
      expect(grant.lapsed()).toBe('the token has expired');
      stop();
      await expect(authoriser.authorise(request(`/a?jwt=${token}`))).resolves.toBeDefined(); // clocks differ
      now += 6000;
      await expect(authoriser.authorise(request(`/a?jwt=${token}`))).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('keys', () => {
  it('are looked up by their id in a folder, and nowhere else', async () => {
    const keys = await openKeySource({ folder });
    expect((await keys.find('two')).kid).toBe('two');
    for (const kid of [undefined, 'three', '../one', 'a/b', '']) {
      await expect(keys.find(kid)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    }
  });

  it('are looked up below a URL; a server that is away is no refusal', async () => {
    const keys = await openKeySource({ folder: `${url}/keys` });
    expect((await keys.find('two')).kid).toBe('two');
    await expect(keys.find('one')).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    answer = 500;
    expect((await keys.find('two')).kid).toBe('two');
    await expect(keys.find('one')).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
    answer = 200;
    const token = await signToken(second, { root: '', publish: [''], subscribe: [] });
    const closed = tokenAuthoriser({ keys: await openKeySource({ folder: 'http://127.0.0.1:1/' }), anonymous: nobody });
    const failure = closed.authorise(request(`/?jwt=${token}`));
    await expect(failure).rejects.toMatchObject({ code: 'API_UNREACHABLE', message: 'the key server does not answer' });
  });

  it('that are not there are told at the start', async () => {
    await expect(openKeySource({ file: join(folder, 'none.jwk') })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(openKeySource({ folder: join(folder, 'none') })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});
