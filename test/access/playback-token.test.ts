import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CompactSign, exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engineProof, isEngineProof } from '../../src/access/engine-proof.ts';
import type { Grant } from '../../src/access/grant.ts';
import { KeySet } from '../../src/access/jwks.ts';
import { PlaybackTokens } from '../../src/access/playback-token.ts';
import { ControlClient } from '../../src/contract/client.ts';
import { silentLogger } from '../../src/core/log.ts';
import { pathAuthoriser } from '../../src/relay/rights/authorise.ts';
import { controlPublishAuthoriser } from '../../src/relay/rights/http-publish-authoriser.ts';

const issuer = 'https://issuer.example';
const id = 'lv_one';
const now = Math.floor(Date.now() / 1000);
const claims = {
  iss: issuer,
  aud: 'streams-playback',
  sub: 'viewer',
  ns: [`stream/org_a/${id}`],
  nbf: now,
  exp: now + 60,
};

let ed: CryptoKeyPair;
let rsa: CryptoKeyPair;
let stranger: CryptoKeyPair;
let server: Server;
let controlUrl: string;
let keys: (JWK & { org?: string })[];
let requests = 0;
let authorizeAnswer: { status: number; body: unknown };
let authorizeBody: unknown;

beforeAll(async () => {
  ed = (await generateKeyPair('EdDSA', { extractable: true })) as CryptoKeyPair;
  stranger = (await generateKeyPair('EdDSA', { extractable: true })) as CryptoKeyPair;
  rsa = (await generateKeyPair('RS256', { extractable: true })) as CryptoKeyPair;
  keys = [
    { ...(await exportJWK(ed.publicKey)), kid: 'rk_ed', alg: 'EdDSA', use: 'sig', org: 'org_a' },
    { ...(await exportJWK(rsa.publicKey)), kid: 'rk_rsa', alg: 'RS256', use: 'sig', org: 'org_a' },
    { ...(await exportJWK(stranger.publicKey)), kid: 'rk_b', alg: 'EdDSA', use: 'sig', org: 'org_b' },
    { ...(await exportJWK(stranger.publicKey)), kid: 'rk_nobody', alg: 'EdDSA', use: 'sig' },
  ];
  server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.url === '/.well-known/jwks.json') {
      requests++;
      response.end(JSON.stringify({ keys }));
      return;
    }
    let text = '';
    request.on('data', (chunk) => {
      text += chunk;
    });
    request.on('end', () => {
      authorizeBody = { authorization: request.headers.authorization, ...JSON.parse(text) };
      response.statusCode = authorizeAnswer.status;
      response.end(JSON.stringify(authorizeAnswer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  controlUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

function keySet(): KeySet {
  return new KeySet({
    url: `${controlUrl}/.well-known/jwks.json`,
    logger: silentLogger,
    refreshMs: 10,
    minRefreshMs: 50,
  });
}

function authorise(path: string, set = keySet(), clock: () => number = Date.now, token?: string): Promise<Grant> {
  const authoriser = pathAuthoriser(
    controlPublishAuthoriser(new ControlClient({ controlUrl, serviceToken: 'service' })),
    new PlaybackTokens({ keys: set, issuer, now: clock }),
    { isEngine: (purpose, proof) => isEngineProof('service', purpose, proof) },
  );
  return authoriser.authorise({ path, ...(token !== undefined && { token }), remoteAddress: '192.0.2.1:1' });
}

function sign(change: object = {}, header: object = {}, key: CryptoKey = ed.privateKey): Promise<string> {
  return new SignJWT({ ...claims, ...change }).setProtectedHeader({ alg: 'EdDSA', kid: 'rk_ed', ...header }).sign(key);
}

const raw = (text: string): string => Buffer.from(text).toString('base64url');
const encode = (value: object): string => raw(JSON.stringify(value));

/** Signed all right, with a payload that no serialiser would write. */
function signJson(payload: string): Promise<string> {
  return new CompactSign(Buffer.from(payload)).setProtectedHeader({ alg: 'EdDSA', kid: 'rk_ed' }).sign(ed.privateKey);
}

describe('a playback token', () => {
  it.each(['EdDSA', 'Ed25519'])('with %s is good for its namespaces, to subscribe', async (alg) => {
    const grant = await authorise(`/playback/${id}?tok=${await sign({}, { alg })}`);
    expect(grant.subscribe).toEqual([['stream', 'org_a', id]]);
    expect(grant.publish).toEqual([]);
    expect(grant.lapsed()).toBeUndefined();
  });

  it('with RS256 too, and within 5 s of skew', async () => {
    // Of this moment: the file may have been loaded seconds ago.
    const now = Math.floor(Date.now() / 1000);
    const token = await sign({ nbf: now + 4, exp: now - 3 }, { alg: 'RS256', kid: 'rk_rsa' }, rsa.privateKey);
    expect((await authorise(`/playback/${id}?tok=${token}`, keySet(), () => now * 1000)).kind).toBe('playback');
  });

  const refusals: [string, () => Promise<string> | string, RegExp][] = [
    ['expired', () => sign({ exp: now - 30 }), /expired/],
    ['that lives longer than a day', () => sign({ exp: now + 2 * 86_400 }), /24 h/],
    ['issued long before it is good', () => sign({ iat: now - 8 * 86_400 }), /7 days/],
    ['that does not say from when', () => sign({ nbf: undefined }), /iat, nbf/],
    ['for another address', () => sign({ addresses: ['198.51.100.0/24', '2001:db8::/32', 'x/y'] }), /network address/],
    ['with an address rule that is none', () => sign({ addresses: 'all' }), /list of strings/],
    ['for a web page, from no page', () => sign({ origins: ['https://example.com'] }), /web page/],
    ['for one use, where that cannot be told', () => sign({ once: true, jti: 'a' }), /one-time/],
    ['without expiry', () => sign({ exp: undefined }), /exp/],
    ['not valid yet', () => sign({ nbf: now + 30 }), /not valid yet/],
    ['for another input', () => sign({ ns: ['stream/org_a/lv_two'] }), /another input/],
    ['for a prefix of the input', () => sign({ ns: ['stream/org_a'] }), /another input/],
    ['with a malformed namespace', () => sign({ ns: [`stream//${id}`] }), /malformed/],
    ['without namespaces', () => sign({ ns: `stream/org_a/${id}` }), /no namespace/],
    ['for another audience', () => sign({ aud: 'other' }), /audience/],
    ['of another issuer', () => sign({ iss: 'https://other.example' }), /issuer/],
    ['signed by another key', () => sign({}, {}, stranger.privateKey), /signature/],
    ['signed by the key of another org', () => sign({}, { kid: 'rk_b' }, stranger.privateKey), /another org/],
    [
      'that names another org beside its own',
      () => sign({ ns: [`stream/org_a/${id}`, `stream/org_b/${id}`] }),
      /another org/,
    ],
    ['for what is no stream', () => sign({ ns: [`other/org_a/${id}`] }), /another org/],
    ["of a key that is nobody's", () => sign({}, { kid: 'rk_nobody' }, stranger.privateKey), /unknown/],
    ['of an unknown kid', () => sign({}, { kid: 'rk_other' }), /unknown/],
    ['without kid', () => sign({}, { kid: undefined }), /no key/],
    ['with jku', () => sign({}, { jku: 'https://evil.example/jwks.json' }), /jku/],
    ['with x5u', () => sign({}, { x5u: 'https://evil.example/cert' }), /x5u/],
    [
      'with its own jwk',
      async () => sign({}, { jwk: await exportJWK(stranger.publicKey) }, stranger.privateKey),
      /jwk/,
    ],
    ['with crit', () => `${encode({ alg: 'EdDSA', kid: 'rk_ed', crit: ['x'], x: 1 })}.${encode(claims)}.AAAA`, /crit/],
    ['with alg none', () => `${encode({ alg: 'none', kid: 'rk_ed' })}.${encode(claims)}.`, /alg none/],
    ['with alg None', () => `${encode({ alg: 'None', kid: 'rk_ed' })}.${encode(claims)}.`, /alg none/],
    [
      'with HS256 and the public key as the secret',
      async () =>
        new SignJWT(claims)
          .setProtectedHeader({ alg: 'HS256', kid: 'rk_rsa' })
          .sign(new TextEncoder().encode(await exportSPKI(rsa.publicKey))),
      /algorithm/,
    ],
    ["with the other key's algorithm", () => sign({}, { kid: 'rk_rsa' }), /algorithm/],
    [
      'that names its namespace twice',
      () => signJson(`${JSON.stringify(claims).slice(0, -1)},"\\u006es":["stream/org_a/lv_two"]}`),
      /ns twice/,
    ],
    [
      'that names its key twice',
      () => `${raw('{"alg":"EdDSA","kid":"rk_b","kid":"rk_ed"}')}.${encode(claims)}.AAAA`,
      /kid twice/,
    ],
    ['cut short', async () => (await sign()).slice(0, -20), /signature|malformed/],
    ['of no form at all', () => 'garbage', /not a token/],
    ['of absurd length', () => 'a'.repeat(10_000), /too long/],
  ];
  it.each(refusals)('%s is refused', async (_name, token, reason) => {
    const refusal = authorise(`/playback/${id}?tok=${await token()}`);
    await expect(refusal).rejects.toMatchObject({ code: expect.stringMatching(/^TOKEN_(INVALID|EXPIRED)$/) });
    await expect(refusal).rejects.toThrow(reason);
  });

  it('cannot publish, and a path needs its own credential', async () => {
    await expect(authorise(`/publish/${id}?tok=${await sign()}`)).rejects.toThrow(/^.*cannot publish/);
    await expect(authorise(`/playback/${id}`)).rejects.toThrow(/^no token/);
    await expect(authorise(`/playback/${id}?sk=x`)).rejects.toThrow(/^no token/);
  });

  it.each(['/', '', '/playback', '/playback/', '/playback/a/b', '/other/a', '/playback/..%2f', 'playback/a'])(
    'path %j is none of ours',
    async (path) => {
      await expect(authorise(`${path}?tok=x`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    },
  );

  it('ends when it expires', async () => {
    const grant = await authorise(`/playback/${id}?tok=${await sign({ exp: Math.ceil(Date.now() / 1000) + 1 })}`);
    const reason = await new Promise<string>((resolve) => grant.watch(resolve));
    expect(reason).toMatch(/^.*expired/);
    expect(grant.lapsed()).toBe(reason);
  });

  it('ends when its key is deactivated, without anybody asking', async () => {
    const before = [...keys];
    const grant = await authorise(`/playback/${id}?tok=${await sign()}`);
    const ended = new Promise<string>((resolve) => grant.watch(resolve));
    keys = keys.filter(({ kid }) => kid !== 'rk_ed');
    expect(await ended).toMatch(/^.*deactivated/);
    keys = before;
  });
});

describe('the key set', () => {
  it('is asked for a new key at once, but not twice a second for one that does not exist', async () => {
    const set = keySet();
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, i) => sign({}, { kid: `rk_${i}` })));
    const before = requests;
    const startedAt = performance.now();
    const attempts = tokens.map((token) => authorise(`/playback/${id}?tok=${token}`, set));
    for (const attempt of await Promise.allSettled(attempts)) {
      expect(attempt).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(/unknown/) } });
    }
    const seconds = Math.floor((performance.now() - startedAt) / 1000);
    expect(requests - before).toBeLessThanOrEqual(1 + Math.max(1, seconds));
  });

  it('takes a token of a key made a moment ago, just after it asked', async () => {
    const set = keySet();
    await authorise(`/playback/${id}?tok=${await sign()}`, set);
    const fresh = (await generateKeyPair('EdDSA', { extractable: true })) as CryptoKeyPair;
    const token = await sign({}, { kid: 'rk_fresh' }, fresh.privateKey);
    const before = [...keys];
    keys = [
      ...keys,
      { ...(await exportJWK(fresh.publicKey)), kid: 'rk_fresh', alg: 'EdDSA', use: 'sig', org: 'org_a' },
    ];
    expect((await authorise(`/playback/${id}?tok=${token}`, set)).kind).toBe('playback');
    keys = before;
  });

  it('works on while the control plane is away, and says so when it never had one', async () => {
    let away = false;
    const set = new KeySet({
      url: `${controlUrl}/.well-known/jwks.json`,
      logger: silentLogger,
      refreshMs: 5,
      minRefreshMs: 5,
      fetch: (input, init) => (away ? Promise.reject(new TypeError('refused')) : fetch(input, init)),
    });
    const token = await sign();
    await authorise(`/playback/${id}?tok=${token}`, set);
    const release = set.hold(() => {});
    away = true;
    const never = new KeySet({
      url: 'http://127.0.0.1:1/',
      logger: silentLogger,
      fetch: () => Promise.reject(new TypeError('refused')),
    });
    await expect(authorise(`/playback/${id}?tok=${token}`, never)).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
    expect((await authorise(`/playback/${id}?tok=${token}`, set)).lapsed()).toBeUndefined();
    release();
  });
});

describe('a stream key', () => {
  it('is shown to the control plane, whose namespace is granted', async () => {
    authorizeAnswer = { status: 200, body: { orgId: 'org_a', inputId: id, namespace: ['stream', 'org_a', id] } };
    const grant = await authorise(`/publish/${id}?sk=sk_live_x`);
    const { root } = grant;
    expect(root).toEqual(['ingest', 'org_a', id, expect.any(String)]);
    expect(grant).toMatchObject({ kind: 'publish', publish: [{ fields: root, below: true }], subscribe: [] });
    expect(authorizeBody).toEqual({
      authorization: 'Bearer service',
      kind: 'publish',
      inputId: id,
      streamKey: 'sk_live_x',
      ingest: 'moqt',
      remoteAddress: '192.0.2.1:1',
    });
  });

  it('may be shown beside the path', async () => {
    authorizeAnswer = { status: 200, body: { orgId: 'org_a', inputId: id, namespace: ['stream', 'org_a', id] } };
    await authorise(`/publish/${id}`, keySet(), Date.now, 'sk_live_y');
    expect(authorizeBody).toMatchObject({ inputId: id, streamKey: 'sk_live_y' });
  });

  it('is not needed by an engine that shows its proof, which publishes for viewers', async () => {
    authorizeAnswer = { status: 200, body: { orgId: 'org_a', inputId: id, namespace: ['stream', 'org_a', id] } };
    const proof = engineProof('service', `publish ${id}`);
    const grant = await authorise(`/publish/${id}?engine=${proof}`);
    expect(grant).toMatchObject({ kind: 'publish', publish: [['stream', 'org_a', id]], subscribe: [] });
    expect(grant.root).toBeUndefined();
    expect(authorizeBody).toMatchObject({ ingest: 'engine' });
    for (const wrong of ['', proof.slice(1), engineProof('other', `publish ${id}`), engineProof('service', 'ingest')])
      await expect(authorise(`/publish/${id}?engine=${wrong}`)).rejects.toThrow(/^no stream key/);
  });

  it('of one input is held by one publisher: the newer one', async () => {
    authorizeAnswer = { status: 200, body: { orgId: 'org_a', inputId: id, namespace: ['stream', 'org_a', id] } };
    const authoriser = pathAuthoriser(
      controlPublishAuthoriser(new ControlClient({ controlUrl, serviceToken: 'service' })),
      new PlaybackTokens({ keys: keySet(), issuer }),
    );
    const open = () => authoriser.authorise({ path: `/publish/${id}?sk=sk_live_x`, remoteAddress: '' });
    const [first, second] = [await open(), await open()];
    const told: string[] = [];
    first.watch((reason) => told.push(`first: ${reason}`));
    const stop = second.watch((reason) => told.push(`second: ${reason}`));
    expect(told).toEqual(['first: another publisher took this input over']);
    stop();
    (await open()).watch(() => {});
    expect(told).toHaveLength(1);
  });

  it('opens nothing of the ingest, which is for engines', async () => {
    const grant = await authorise(`/ingest?sk=${engineProof('service', 'ingest')}`);
    expect(grant).toMatchObject({ publish: [], subscribe: [{ fields: ['ingest'], below: true }] });
    for (const path of ['/ingest', '/ingest?sk=sk_live_x'])
      await expect(authorise(path)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('refused by it is UNAUTHORIZED; an outage is not', async () => {
    authorizeAnswer = { status: 401, body: { error: { code: 'UNAUTHORIZED', message: 'wrong stream key' } } };
    await expect(authorise(`/publish/${id}?sk=x`)).rejects.toThrow(/^wrong stream key$/);
    for (const answer of [
      { status: 500, body: {} },
      { status: 404, body: { error: { code: 'NOT_FOUND', message: 'there is nothing here' } } },
      { status: 200, body: { namespace: 'x' } },
    ]) {
      authorizeAnswer = answer;
      await expect(authorise(`/publish/${id}?sk=x`)).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
    }
  });
});
