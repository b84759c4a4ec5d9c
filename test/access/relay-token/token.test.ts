import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { parseClaims, rightsAt } from '../../../src/access/relay-token/claims.ts';
import { generateKey } from '../../../src/access/relay-token/generate.ts';
import { parseKey, publicHalf } from '../../../src/access/relay-token/key.ts';
import { parsePath, showPattern } from '../../../src/access/relay-token/paths.ts';
import { signToken, verifyToken } from '../../../src/access/relay-token/token.ts';

const shown = (claims: Record<string, unknown>) => {
  const { publish, subscribe } = parseClaims(claims);
  return { publish: publish.map(showPattern), subscribe: subscribe.map(showPattern) };
};

describe('claims', () => {
  it.each([
    [{ root: 'demo', pub: 'cam', sub: '' }, ['demo/cam/**'], ['demo/**']],
    [{ root: '/demo/', put: ['my-stream'], get: [''] }, ['demo/my-stream/**'], ['demo/**']],
    [{ put: '' }, ['**'], []],
    [
      { root: 'demo', publish: ['cam/**'], subscribe: ['**', 'live/*', 'one'] },
      ['demo/cam/**'],
      ['demo/**', 'demo/live/*', 'demo/one'],
    ],
    // `sub` is somebody's name where newer claims say what is allowed.
    [{ get: 'a', sub: 'user-17' }, [], ['a/**']],
    [{ subscribe: '**', put: 'x', sub: 'user-17' }, [], ['**']],
  ])('%j', (claims, publish, subscribe) => {
    expect(shown(claims)).toEqual({ publish, subscribe });
  });

  it.each([
    [{}, 'nothing may be published'],
    [{ root: 'demo', put: [], get: [] }, 'nothing may be published'],
    [{ get: 'a', roo: 'b' }, 'roo is unknown'],
    [{ get: 'a', aud: 'x' }, 'aud is unknown'],
    [{ get: 7 }, 'get is not a list of paths'],
    [{ root: ['a'], get: '' }, 'root is not a string'],
    [{ subscribe: 'a*' }, 'asterisk'],
    [{ subscribe: '**/a' }, 'asterisk'],
    [{ get: 'a', exp: 'soon' }, 'exp is not a number'],
  ])('%j is refused', (claims, reason) => {
    expect(() => parseClaims(claims)).toThrow(
      expect.objectContaining({ code: 'TOKEN_INVALID', message: expect.stringContaining(reason) }),
    );
  });

  it.each([
    ['demo', 'demo', ['demo/cam/**'], ['demo/**']],
    ['', 'demo', ['demo/cam/**'], ['demo/**']],
    ['demo/cam/low', 'demo', ['demo/cam/**'], ['demo/**']],
    ['demo/other', 'demo', [], ['demo/**']],
  ])('a session at "%s" uses what reaches it', (path, root, publish, subscribe) => {
    const rights = rightsAt(parsePath(path), parseClaims({ root, put: 'cam', get: '' }));
    expect(rights?.publish.map(showPattern)).toEqual(publish);
    expect(rights?.subscribe.map(showPattern)).toEqual(subscribe);
  });

  it('gives nothing to a session at an unrelated path', () => {
    const claims = parseClaims({ root: 'demo', put: 'cam' });
    for (const path of ['other', 'demos', 'demo/other']) expect(rightsAt(parsePath(path), claims)).toBeUndefined();
  });
});

describe('a token', () => {
  it('must be signed by the key, with its algorithm, and still be valid', async () => {
    const key = await generateKey({ algorithm: 'HS256' });
    const secret = Buffer.from(String(key.jwk.k), 'base64url');
    const request = { root: 'demo', publish: [], subscribe: [''] };
    const token = await signToken(key, request);
    await expect(verifyToken(await generateKey({ algorithm: 'HS256' }), token)).rejects.toMatchObject({
      code: 'TOKEN_INVALID',
      message: 'the signature does not match the key',
    });
    const other = await new SignJWT({ get: '' })
      .setProtectedHeader({ alg: 'HS512' })
      .sign(Buffer.concat([secret, secret]));
    await expect(verifyToken(key, other)).rejects.toMatchObject({ message: expect.stringContaining('HS256') });
    const bringsKey = await new SignJWT({ get: '' })
      .setProtectedHeader({ alg: 'HS256', jku: 'https://a/' })
      .sign(secret);
    await expect(verifyToken(key, bringsKey)).rejects.toMatchObject({ message: expect.stringContaining('jku') });
    const now = Date.now();
    const short = await signToken(key, { ...request, expiresAt: Math.floor(now / 1000) + 10 });
    await verifyToken(key, short, now);
    await expect(verifyToken(key, short, now + 20_000)).rejects.toMatchObject({ code: 'TOKEN_EXPIRED' });
    await expect(verifyToken(key, 'a.b.c')).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.`;
    const twice = `${token.split('.')[0]}.${Buffer.from('{"root":"a","root":""}').toString('base64url')}.AAAA`;
    await expect(verifyToken(key, twice)).rejects.toMatchObject({ message: expect.stringContaining('root twice') });
    await expect(verifyToken(key, unsigned)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
  });

  it('cannot exceed the scope of its key, when signed and when verified', async () => {
    const scope = { root: 'project', publish: ['live'], subscribe: ['watch'] };
    const key = await generateKey({ algorithm: 'EdDSA', scope });
    expect(key.jwk.scope).toEqual({ root: 'project', put: ['live'], get: ['watch'] });
    const fine = await signToken(key, { root: '', publish: ['project/live/one'], subscribe: [] });
    await verifyToken(publicHalf(key), fine);
    for (const wider of [
      { root: 'project', publish: ['lively'], subscribe: [] },
      { root: 'project', publish: [], subscribe: ['live'] },
      { root: '', publish: ['project/live'], subscribe: [''] },
    ]) {
      await expect(signToken(key, wider)).rejects.toMatchObject({ code: 'TOKEN_INVALID' });
      const unscoped = parseKey(JSON.stringify({ ...key.jwk, scope: undefined }));
      const token = await signToken(unscoped, wider);
      await verifyToken(publicHalf(unscoped), token);
      await expect(verifyToken(publicHalf(key), token)).rejects.toMatchObject({
        message: expect.stringContaining('scope'),
      });
    }
  });
});

describe('a key', () => {
  it('has no private numbers in its public half', async () => {
    const key = await generateKey({ algorithm: 'RS256', kid: 'one' });
    const half = publicHalf(key);
    expect(Object.keys(half.jwk).sort()).toEqual(['alg', 'e', 'key_ops', 'kid', 'kty', 'n']);
    await expect(signToken(half, { root: '', publish: [''], subscribe: [] })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(() => publicHalf(parseKey(JSON.stringify({ kty: 'oct', alg: 'HS256', k: 'A'.repeat(64) })))).toThrow(
      'one secret',
    );
  });

  it.each([
    ['nonsense', 'neither JSON'],
    ['[]', 'neither JSON'],
    [JSON.stringify({ kty: 'oct', alg: 'HS256', k: 'c2hvcnQ' }), 'shorter than 32 bytes'],
    [JSON.stringify({ kty: 'oct', alg: 'ES256', k: 'A'.repeat(64) }), 'its alg is none of HS256'],
    [JSON.stringify({ kty: 'EC', crv: 'P-384', alg: 'ES256' }), 'its crv is not P-256'],
    [JSON.stringify({ kty: 'oct', alg: 'HS256', k: 'A'.repeat(64), kid: '../x' }), 'its kid'],
    [JSON.stringify({ kty: 'oct', alg: 'HS256', k: 'A'.repeat(64), scope: { put: [] } }), 'its scope'],
    [JSON.stringify({ kty: 'pgp' }), 'its kty'],
  ])('%s is refused', (text, reason) => {
    let thrown: unknown;
    try {
      parseKey(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(reason) });
    expect(String(thrown)).not.toContain('AAAA');
  });
});
