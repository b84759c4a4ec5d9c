import { EventEmitter, once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { addressAllowed } from '../../src/access/address-rule.ts';
import type { Grant } from '../../src/access/grant.ts';
import { redeemAtControl } from '../../src/access/http-redeem.ts';
import { KeySet } from '../../src/access/jwks.ts';
import { PlaybackTokens } from '../../src/access/playback-token.ts';
import { Revocations } from '../../src/access/revocations.ts';
import { ControlClient } from '../../src/contract/client.ts';
import { silentLogger } from '../../src/core/log.ts';
import { pathAuthoriser } from '../../src/relay/rights/authorise.ts';

const id = 'lv_one';
const now = Date.now();
const seconds = Math.floor(now / 1000);
let pair: CryptoKeyPair;
let server: Server;
let controlUrl: string;
let revoked: object[] = [];
let asked: string[] = [];
/** What the list says of itself; with it the server holds its answers while that is what was seen. */
let version: string | undefined;
let keysVersion = 'keys 1';
let keysAsked = 0;
const held = new Set<() => void>();
let down = false;
const used = new Set<string>();

beforeAll(async () => {
  pair = (await generateKeyPair('EdDSA', { extractable: true })) as CryptoKeyPair;
  const key = { ...(await exportJWK(pair.publicKey)), kid: 'rk_1', alg: 'EdDSA', use: 'sig', org: 'org_a' };
  server = createServer(async (request, response) => {
    const url = new URL(request.url!, 'http://x');
    const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
    if (url.pathname === '/.well-known/jwks.json') {
      keysAsked++;
      return answer(200, { keys: [key] });
    }
    if (request.headers.authorization !== 'Bearer service') return answer(404, {});
    if (down) return answer(503, {});
    if (url.pathname === '/internal/revocations') {
      asked.push(url.searchParams.get('since')!);
      if (version !== undefined && url.searchParams.get('seen') === version)
        await new Promise<void>((resolve) => {
          held.add(resolve);
          response.once('close', resolve);
        });
      return answer(200, { until: 1000 + asked.length, revocations: revoked, version, keys: version && keysVersion });
    }
    let text = '';
    for await (const chunk of request) text += chunk;
    const { jti } = JSON.parse(text);
    if (used.has(jti)) return answer(409, { error: { code: 'CONFLICT', message: 'used' } });
    used.add(jti);
    return answer(200, { ok: true });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  controlUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  revoked = [];
  asked = [];
  version = undefined;
  down = false;
});

/** There is news: what was held is answered. */
function tell(next: string): void {
  version = next;
  for (const go of held) go();
  held.clear();
}

function entry(kind: string, value: string, at = now, org = 'org_a') {
  return { kind, value, org, at, expiresAt: now + 1e9 };
}

function setUp() {
  const control = new ControlClient({ controlUrl, serviceToken: 'service' });
  const revocations = new Revocations({ control, logger: silentLogger, pollMs: 20 });
  const tokens = new PlaybackTokens({
    keys: new KeySet({
      url: `${controlUrl}/.well-known/jwks.json`,
      logger: silentLogger,
      minRefreshMs: 0,
      news: revocations,
    }),
    issuer: 'me',
    revocations,
    redeem: redeemAtControl(control),
  });
  return { revocations, tokens };
}

function sign(change: object = {}): Promise<string> {
  const claims = { iss: 'me', aud: 'streams-playback', sub: 'viewer 7', jti: 'jti_1', ns: [`stream/org_a/${id}`] };
  return new SignJWT({ ...claims, iat: seconds - 10, exp: seconds + 60, ...change })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'rk_1' })
    .sign(pair.privateKey);
}

const ended = (grant: Grant): Promise<string> => new Promise((resolve) => grant.watch(resolve));

describe('a revocation', () => {
  it.each([
    ['the token', entry('jti', 'jti_1')],
    ['the viewer', entry('viewer', 'viewer 7')],
    ['the input', entry('input', id)],
  ])('of %s keeps it out, and ends who is in', async (_, revocation) => {
    const { tokens } = setUp();
    const grant = await tokens.verify(await sign(), id);
    expect(grant.lapsed()).toBeUndefined();
    const end = ended(grant);
    revoked = [revocation];
    expect(await end).toBe('the token was revoked');
    expect(grant.lapsed()).toBe('the token was revoked');
    await expect(setUp().tokens.verify(await sign(), id)).rejects.toThrow(/^the token was revoked/);
  });

  it.each([
    ['another token', entry('jti', 'jti_2')],
    ['another org', entry('jti', 'jti_1', now, 'org_b')],
    ['another input', entry('input', 'lv_two')],
    ['tokens issued before this one', entry('viewer', 'viewer 7', now - 60_000)],
  ])('of %s does not matter', async (_, revocation) => {
    revoked = [revocation];
    const { tokens } = setUp();
    expect((await tokens.verify(await sign(), id)).lapsed()).toBeUndefined();
  });

  it('of a viewer covers tokens that do not say when they were issued', async () => {
    revoked = [entry('viewer', 'viewer 7')];
    const token = await sign({ iat: undefined, nbf: seconds - 10 });
    await expect(setUp().tokens.verify(token, id)).rejects.toThrow(/revoked/);
  });

  it('of publishing ends who published before it', async () => {
    const { revocations, tokens } = setUp();
    const authorise = (at: number) =>
      pathAuthoriser(
        { authorisePublish: async () => ({ orgId: 'org_a', inputId: id, namespace: ['stream', 'org_a', id], at }) },
        tokens,
        { revocations },
      ).authorise({ path: `/publish/${id}?sk=x`, remoteAddress: '' });
    const before = await authorise(now);
    const after = await authorise(now + 1);
    const end = ended(before);
    revoked = [entry('publish', id)];
    expect(await end).toMatch(/^the input was disabled or deleted/);
    expect(after.lapsed()).toBeUndefined();
  });
});

describe('the list', () => {
  it('is asked for news only', async () => {
    const { revocations } = setUp();
    const release = revocations.hold(() => {});
    await expect.poll(() => asked.slice(0, 3)).toEqual(['0', '1001', '1002']);
    release();
  });

  it('is asked for once while there is no news, and tells of it at once', async () => {
    version = 'first';
    const { tokens } = setUp();
    const grant = await tokens.verify(await sign(), id);
    const end = ended(grant);
    await expect.poll(() => held.size).toBe(1);
    const before = asked.length;
    // Newcomers ask no more: what is on its way would have come.
    await tokens.verify(await sign({ jti: 'jti_2' }), id);
    expect(asked.length).toBe(before);
    revoked = [entry('jti', 'jti_1')];
    tell('second');
    expect(await end).toBe('the token was revoked');
  });

  it('tells that the signing keys are others: they are fetched then, and not before', async () => {
    version = 'first';
    const { tokens } = setUp();
    const grant = await tokens.verify(await sign(), id);
    const release = grant.watch(() => {});
    await expect.poll(() => held.size).toBe(1);
    const before = keysAsked;
    keysVersion = 'keys 2';
    tell('second');
    await expect.poll(() => keysAsked).toBe(before + 1);
    await expect.poll(() => held.size).toBe(1);
    tell('third');
    await expect.poll(() => held.size).toBe(1);
    expect(keysAsked).toBe(before + 1);
    release();
  });

  it('stays in force while the control plane is away; without one nobody gets in', async () => {
    revoked = [entry('viewer', 'viewer 7')];
    const { revocations, tokens } = setUp();
    await revocations.ready();
    down = true;
    await expect(tokens.verify(await sign(), id)).rejects.toThrow(/revoked/);
    expect((await tokens.verify(await sign({ sub: 'viewer 8' }), id)).lapsed()).toBeUndefined();
    await expect(setUp().tokens.verify(await sign(), id)).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
  });
});

describe('a list of several pages', () => {
  const covered = (revocations: Revocations, jti: string) =>
    revocations.covers({ kind: 'playback', org: 'org_a', ids: [], viewer: 'v', jti, issuedAt: now });

  /** Three pages. The second answers when it is told to, and with what. */
  function pages() {
    const asks: [since: string | null, before: string | null][] = [];
    const told = new EventEmitter();
    const answer = async (input: string | URL | Request) => {
      const { searchParams } = new URL(String(input));
      const before = searchParams.get('before');
      asks.push([searchParams.get('since'), before]);
      const page = { until: 1000, revocations: [entry('jti', before ?? 'first')] };
      if (before === null) return Response.json({ ...page, next: 'second' });
      if (before === 'third') return Response.json(page);
      const [status] = await once(told, 'second');
      return Response.json({ ...page, next: 'third' }, { status });
    };
    const control = new ControlClient({ controlUrl, serviceToken: 'service', fetch: answer });
    const revocations = new Revocations({ control, logger: silentLogger, pollMs: 20 });
    return { revocations, asks, told };
  }

  it('is relied on when all are there; what a page says holds at once', async () => {
    const { revocations, asks, told } = pages();
    let ready = false;
    const waiting = revocations.ready().then(() => {
      ready = true;
    });
    await expect.poll(() => told.listenerCount('second')).toBe(1);
    expect([covered(revocations, 'first'), covered(revocations, 'third'), ready]).toEqual([true, false, false]);
    told.emit('second', 200);
    await waiting;
    expect(['first', 'second', 'third'].map((jti) => covered(revocations, jti))).toEqual([true, true, true]);
    expect(asks).toEqual([
      ['0', null],
      ['0', 'second'],
      ['0', 'third'],
    ]);
  });

  it('is asked for from its beginning again when a page is missing', async () => {
    const { revocations, asks, told } = pages();
    const failed = revocations.ready();
    await expect.poll(() => told.listenerCount('second')).toBe(1);
    told.emit('second', 503);
    await expect(failed).rejects.toMatchObject({ code: 'API_UNREACHABLE' });
    const again = revocations.ready();
    await expect.poll(() => told.listenerCount('second')).toBe(1);
    told.emit('second', 200);
    await again;
    expect(asks.map(([since]) => since)).toEqual(['0', '0', '0', '0', '0']);
    expect(covered(revocations, 'third')).toBe(true);
  });
});

describe('a token', () => {
  it('for one use opens once, on whatever relay', async () => {
    const token = await sign({ once: true, jti: 'jti_once' });
    expect((await setUp().tokens.verify(token, id)).kind).toBe('playback');
    await expect(setUp().tokens.verify(token, id)).rejects.toThrow(/^.*used before/);
    down = true;
    await expect(setUp().tokens.verify(await sign({ once: true, jti: 'b' }), id)).rejects.toMatchObject({
      code: 'API_UNREACHABLE',
    });
  });

  it('bound to an address, a page and tracks works there, and with those', async () => {
    const token = await sign({ addresses: ['203.0.113.0/24'], origins: ['https://example.com'], tracks: ['audio'] });
    const { tokens } = setUp();
    const here = { remoteAddress: '203.0.113.9:4433', origin: 'https://example.com' };
    expect((await tokens.verify(token, id, here)).tracks).toEqual(['audio']);
    await expect(tokens.verify(token, id, { ...here, remoteAddress: '203.0.114.9:1' })).rejects.toThrow(/address/);
    await expect(tokens.verify(token, id, { ...here, origin: 'https://example.org' })).rejects.toThrow(/web page/);
    await expect(tokens.verify(token, id)).rejects.toThrow(/address/);
  });
});

it.each([
  [['10.0.0.0/8'], '10.1.2.3:9', true],
  [['10.0.0.0/8'], '11.1.2.3:9', false],
  [['10.1.2.3'], '[::ffff:10.1.2.3]:9', true],
  [['2001:db8::/32'], '[2001:db8::5]:443', true],
  [['2001:db8::/32'], '[2001:db9::5]:443', false],
  [['0.0.0.0/0'], '', false],
  [['10.0.0.0/', '10.0.0.0/99', 'x', ''], '10.0.0.0:1', false],
])('rules %j let %s in: %s', (rules, address, expected) => {
  expect(addressAllowed(rules, address)).toBe(expected);
});
