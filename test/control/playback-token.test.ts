import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { expect, it } from 'vitest';
import { isId } from '../../src/core/ids.ts';
import { startTestControl, type TestControl } from './helpers.ts';

async function mint(test: TestControl, body: object = {}) {
  const input = (await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } })).body;
  const minted = await test.call('POST', `/v1/live-inputs/${input.id}/playback-tokens`, { body });
  return { id: input.id as string, ...minted.body } as Record<string, string> & { id: string; token: string };
}

async function verify(test: TestControl, token: string) {
  const answer = await test.call('GET', '/.well-known/jwks.json', { key: null });
  return jwtVerify(token, createLocalJWKSet(answer.body), {
    issuer: test.control.issuer,
    audience: 'streams-playback',
    algorithms: ['EdDSA', 'RS256'],
    currentDate: new Date(test.clock.now),
  });
}

it('mints a token that the JWKS verifies and that opens one namespace', async () => {
  await using test = await startTestControl();
  const minted = await mint(test, { viewerId: 'viewer 7', ttlSeconds: 90 });
  const { payload, protectedHeader } = await verify(test, minted.token);
  const now = Math.floor(test.clock.now / 1000);
  expect(protectedHeader).toEqual({ alg: 'EdDSA', kid: minted.kid, typ: 'JWT' });
  expect(payload).toEqual({
    iss: test.control.issuer,
    aud: 'streams-playback',
    sub: 'viewer 7',
    ns: [`stream/org_local/${minted.id}`],
    jti: expect.any(String),
    nbf: now - 5,
    iat: now,
    exp: now + 90,
  });
  expect(isId('jti', payload.jti!)).toBe(true);
  expect(minted.expires_at).toBe(new Date((now + 90) * 1000).toISOString());
  test.clock.now += 91_000;
  await expect(verify(test, minted.token)).rejects.toThrow(/exp/);
});

it('names the input as the subject when no viewer is given', async () => {
  await using test = await startTestControl();
  const minted = await mint(test);
  expect(decodeJwt(minted.token).sub).toBe(minted.id);
});

it('clamps the lifetime to 30 s – 24 h, one hour by default', async () => {
  await using test = await startTestControl();
  const lifetime = async (body: object) => {
    const { exp, iat } = decodeJwt((await mint(test, body)).token);
    return exp! - iat!;
  };
  expect(await lifetime({})).toBe(3600);
  expect(await lifetime({ ttlSeconds: 1 })).toBe(30);
  expect(await lifetime({ ttlSeconds: -1e9 })).toBe(30);
  expect(await lifetime({ ttlSeconds: 45.9 })).toBe(45);
  expect(await lifetime({ ttlSeconds: 1e12 })).toBe(86_400);
});

it('signs with the newest active key; a deactivated one leaves the JWKS and its tokens fail', async () => {
  await using test = await startTestControl();
  const old = await mint(test);
  test.clock.now += 1000;
  const rsa = (await test.call('POST', '/v1/signing-keys', { body: { alg: 'RS256' } })).body;
  const minted = await mint(test);
  expect(decodeProtectedHeader(minted.token)).toEqual({ alg: 'RS256', kid: rsa.id, typ: 'JWT' });
  await verify(test, minted.token);
  await verify(test, old.token); // overlap: both are good

  await test.call('POST', `/v1/signing-keys/${old.kid}/deactivate`);
  const jwks = await test.call('GET', '/.well-known/jwks.json', { key: null });
  expect(jwks.headers.get('cache-control')).toMatch(/max-age=\d\b/);
  expect(jwks.body.keys.map((key: { kid: string }) => key.kid)).toEqual([rsa.id]);
  for (const key of jwks.body.keys)
    expect(Object.keys(key).sort()).toEqual(['alg', 'e', 'kid', 'kty', 'n', 'org', 'use']);
  await expect(verify(test, old.token)).rejects.toThrow(/no applicable key/);

  await test.call('POST', `/v1/signing-keys/${rsa.id}/deactivate`);
  const next = await mint(test); // a key is made when none is left
  expect([old.kid, rsa.id]).not.toContain(next.kid);
  await verify(test, next.token);
});

it('makes one key, not many, when the first mints come together', async () => {
  await using test = await startTestControl();
  const first = (await test.call('GET', '/v1/signing-keys')).body.items[0];
  await test.call('POST', `/v1/signing-keys/${first.id}/deactivate`);
  const minted = await Promise.all(Array.from({ length: 8 }, () => mint(test)));
  expect(new Set(minted.map((answer) => answer.kid)).size).toBe(1);
});
