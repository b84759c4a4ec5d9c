import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KeySet } from '../../src/access/jwks.ts';
import { PlaybackTokens } from '../../src/access/playback-token.ts';
import { silentLogger } from '../../src/core/log.ts';
import { apiServer } from './api-server.ts';
import { commandLine } from './command-line.ts';

const issuer = 'https://streams.test';
const now = Math.floor(Date.now() / 1000);
const good = {
  iss: issuer,
  aud: 'streams-playback',
  sub: 'viewer',
  ns: ['stream/org_a/lv_1'],
  jti: 'jti_1',
  iat: now,
  nbf: now - 5,
  exp: now + 600,
};

let folder: string;
let jwksFile: string;
let jwks: string;
let sign: (payload: Record<string, unknown>, header?: Record<string, unknown>) => Promise<string>;
const part = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-token-'));
  const { publicKey, privateKey } = await generateKeyPair('Ed25519');
  jwks = JSON.stringify({
    keys: [{ ...(await exportJWK(publicKey)), kid: 'rk_1', alg: 'EdDSA', use: 'sig', org: 'org_a' }],
  });
  jwksFile = join(folder, 'jwks.json');
  await writeFile(jwksFile, jwks);
  sign = (payload, header = {}) =>
    new SignJWT(payload).setProtectedHeader({ alg: 'EdDSA', kid: 'rk_1', typ: 'JWT', ...header }).sign(privateKey);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const inspect = (token: string, ...more: string[]) =>
  commandLine(['inspect', 'token', token, '--jwks', jwksFile, ...more]);

describe('inspect token', () => {
  it('shows claims and rights, verifies with a key set, and never prints the signature', async () => {
    const token = await sign(good);
    for (const text of [token, `https://relay.test:4443/playback/lv_1?tok=${token}`]) {
      const json = await inspect(text, '--json');
      expect(json.code, json.stderr).toBe(0);
      expect(json.lines()[0]).toMatchObject({
        version: 1,
        type: 'token',
        kind: 'playback',
        header: { kid: 'rk_1' },
        payload: { sub: 'viewer', exp: good.exp },
        allows: ['watch stream/org_a/lv_1'],
        // The issuer is not compared: no server was asked.
        valid: null,
      });
      const human = await inspect(text);
      expect(human.stdout).toMatch(/^Allows +watch stream\/org_a\/lv_1$/m);
      expect(human.stdout).toMatch(/^✔ signature +made with the key rk_1 \(EdDSA\)$/m);
      for (const out of [json, human]) expect(out.stdout + out.stderr).not.toContain(token.split('.')[2]);
    }
  });

  it('asks the server of the profile for keys and issuer, and works without one', async () => {
    const token = await sign(good);
    await using api = await apiServer(({ path }) => ({
      status: 200,
      body: path === '/v1/status' ? { issuer } : JSON.parse(jwks),
    }));
    const asked = await commandLine(['inspect', 'token', token, '--json'], {
      env: { STREAMS_API_URL: api.url, STREAMS_API_KEY: 'ak_live_x' },
    });
    expect(asked.lines()[0]).toMatchObject({ valid: true });
    expect(api.seen.find(({ path }) => path.includes('jwks'))!.authorization).toBeUndefined();

    const alone = await commandLine(['inspect', 'token', token], { env: { STREAMS_API_URL: 'http://127.0.0.1:9' } });
    expect(alone.code).toBe(0);
    expect(alone.stdout).toMatch(/^\? signature +not checked: no keys from http:\/\/127\.0\.0\.1:9 /m);
  });

  it('refuses what the relay refuses, and says why', async () => {
    const token = await sign(good);
    const [header, , signature] = token.split('.') as [string, string, string];
    const { privateKey: strange } = await generateKeyPair('Ed25519');
    const cases: [name: string, token: string, words: RegExp, code: number][] = [
      ['expired', await sign({ ...good, exp: now - 60 }), /expiry: expired 6\d s ago/, 3],
      ['not yet', await sign({ ...good, nbf: now + 600 }), /not before: is valid only in/, 3],
      ['audience', await sign({ ...good, aud: 'other' }), /audience: is for other, not streams-playback/, 3],
      ['nothing', await sign({ ...good, ns: [] }), /namespaces: opens nothing/, 3],
      ['other org', await sign({ ...good, ns: ['stream/org_b/lv_1'] }), /the key belongs to org_a/, 3],
      ['no end', await sign({ ...good, exp: undefined }), /has no expiry/, 3],
      ['unknown key', await sign(good, { kid: 'rk_2' }), /the key rk_2 is unknown or inactive; the set holds rk_1/, 3],
      ['alg none', `${part({ alg: 'none', kid: 'rk_1' })}.${part(good)}.`, /not signed \(alg none\)/, 3],
      [
        'HS256',
        `${part({ alg: 'HS256', kid: 'rk_1' })}.${part(good)}.${signature}`,
        /HS256 is not accepted.*not that of the key \(EdDSA\)/,
        3,
      ],
      ['jku', await sign(good, { jku: 'https://evil.test/keys' }), /brings its own key or rules: jku/, 3],
      [
        'altered',
        `${header}.${part({ ...good, ns: ['stream/org_a/lv_2'] })}.${signature}`,
        /signature: does not match the key rk_1/,
        3,
      ],
      [
        'forged',
        await new SignJWT(good).setProtectedHeader({ alg: 'EdDSA', kid: 'rk_1' }).sign(strange),
        /does not match/,
        3,
      ],
      ['not a token', 'hello', /not a signed JWT: it has 1 parts/, 3],
      ['encrypted', 'a.b.c.d.e', /encrypted/, 3],
      ['not JSON', `${part('x')}.${part('y')}.${signature}`, /header is not a JSON object/, 3],
    ];
    const tokens = new PlaybackTokens({
      issuer,
      keys: new KeySet({
        url: 'http://jwks.test',
        logger: silentLogger,
        minRefreshMs: 0,
        fetch: async () => new Response(jwks),
      }),
    });
    await tokens.verify(token, 'lv_1');
    for (const [name, bad, words, code] of cases) {
      await expect(tokens.verify(bad, 'lv_1'), name).rejects.toMatchObject({ code: expect.stringMatching(/^TOKEN_/) });
      const result = await inspect(bad);
      expect(result.stderr, name).toMatch(words);
      expect(result.code, name).toBe(code);
      const json = await inspect(bad, '--json');
      expect(JSON.parse(json.stderr).error.code).toBe(name === 'expired' ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID');
    }
  });

  it('tells of claims that come twice', async () => {
    const twice = `{"exp":${now + 60},"ns":["stream/org_a/lv_1"],"x":{"exp":1},"exp":${now + 9999}}`;
    const result = await inspect(`${part({ alg: 'EdDSA', kid: 'rk_1' })}.${part(twice)}.AAAA`);
    expect(result.stderr).toContain('claims: come twice: exp');
  });

  it('reads the tokens of moq-relay too', async () => {
    const token = await sign({ root: 'rooms/1', put: ['me'], get: [''], exp: now + 60 });
    const { code, lines } = await inspect(token, '--json');
    expect(code).toBe(0);
    expect(lines()[0]).toMatchObject({
      kind: 'relay',
      valid: true,
      allows: ['publish rooms/1/me', 'subscribe to rooms/1'],
    });
  });
});
