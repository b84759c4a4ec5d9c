import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { Revocations } from '../../src/access/revocations.ts';
import { ControlClient } from '../../src/contract/client.ts';
import { revoke as revokeIn } from '../../src/control/store/revocations.ts';
import { openSqliteStore } from '../../src/control/store/sqlite.ts';
import { newId } from '../../src/core/ids.ts';
import { silentLogger } from '../../src/core/log.ts';
import { serviceToken, startTestControl, type TestControl } from './helpers.ts';

const news = async (test: TestControl, since = 0) =>
  (await test.call('GET', `/internal/revocations?since=${since}`, { key: serviceToken })).body;
const revoke = (test: TestControl, body: object) => test.call('POST', '/v1/playback/revocations', { body });
const redeem = (test: TestControl, jti: string) =>
  test.call('POST', '/internal/playback-tokens/redeem', {
    key: serviceToken,
    body: { org: 'org_local', jti, expiresAt: test.clock.now + 30_000 },
  });
const mint = async (test: TestControl, body: object) => {
  const input = (await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } })).body;
  return test.call('POST', `/v1/live-inputs/${input.id}/playback-tokens`, { body });
};

it('tells relays what was revoked, and again for a while, in case it came late', async () => {
  await using test = await startTestControl();
  const inputId = newId('lv');
  const at = test.clock.now;
  for (const body of [{ jti: 'one' }, { viewerId: 'viewer 7' }, { inputId }])
    expect((await revoke(test, body)).status).toBe(201);
  const first = await news(test);
  const entry = { org: 'org_local', at, expiresAt: at + 8 * 86_400_000 };
  expect(first.revocations).toHaveLength(3);
  for (const said of [
    { ...entry, kind: 'jti', value: 'one' },
    { ...entry, kind: 'viewer', value: 'viewer 7' },
    { ...entry, kind: 'input', value: inputId },
  ])
    expect(first.revocations).toContainEqual(said);
  expect((await news(test, first.until)).revocations).toHaveLength(3);
  test.clock.now += 61_000;
  const later = await news(test, first.until);
  expect((await news(test, later.until)).revocations).toEqual([]);
  test.clock.now += 8 * 86_400_000;
  expect((await news(test)).revocations).toEqual([]);
});

it('tells of 100,000 in pages, newest first, each once, and without a wait between them', {
  timeout: 60_000,
}, async () => {
  await using test = await startTestControl();
  const { now } = test.clock;
  const count = 100_000;
  const store = await openSqliteStore(join(test.dataDir, 'control.db'));
  // Many at the same time, also where one page ends and the next begins.
  await sql`
    with recursive n (i) as (select 0 union all select i + 1 from n where i < ${count - 1})
    insert into revocations (id, org_id, kind, value, at, expires_at)
    select 'rev_' || printf('%022d', (i * 7919) % ${count}), 'org_local', 'jti', 'jti ' || i, ${now} - (i / 7000) * 60000, ${now + 1e9}
    from n
  `.execute(store);
  await store.destroy();
  const revocations = new Revocations({
    control: new ControlClient({ controlUrl: test.base, serviceToken }),
    logger: silentLogger,
  });
  // The work of both sides, about a second where nothing else runs: other tests make it slower, and would make the time of it meaningless.
  const began = process.cpuUsage();
  await revocations.ready();
  const { user, system } = process.cpuUsage(began);
  expect((user + system) / 1e6).toBeLessThan(4);
  const told: { value: string; at: number }[] = [];
  for (let before: string | undefined = ''; before !== undefined; ) {
    const path: string = `/internal/revocations?since=0${before && `&before=${before}`}`;
    const { body } = await test.call('GET', path, { key: serviceToken });
    told.push(...body.revocations);
    before = body.next;
  }
  expect(told).toHaveLength(count);
  expect(new Set(told.map(({ value }) => value)).size).toBe(count);
  const times = told.map(({ at }) => at);
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  const revoked = (jti: string) =>
    revocations.covers({ kind: 'playback', org: 'org_local', ids: [], viewer: 'v', jti, issuedAt: now });
  expect(['jti 0', `jti ${count - 1}`, `jti ${count}`].map(revoked)).toEqual([true, true, false]);
  for (const before of ['', 'x', '1', '1.rev_', `1.lv_${'0'.repeat(22)}`]) {
    const refused = await test.call('GET', `/internal/revocations?before=${before}`, { key: serviceToken });
    expect(refused.body.error.code).toBe('INVALID_ARGUMENT');
  }
});

describe('an answer that may wait', () => {
  const waiting = (test: TestControl, seen: string) => {
    let answered = false;
    const answer = test
      .call('GET', `/internal/revocations?since=0&wait=30&seen=${seen}`, { key: serviceToken })
      .then(({ body }) => {
        answered = true;
        return body;
      });
    return { answer, answered: () => answered };
  };

  it('comes when something is revoked, also by another process', async () => {
    await using test = await startTestControl();
    const other = await openSqliteStore(join(test.dataDir, 'control.db'));
    const { version } = await news(test);
    const held = [waiting(test, version), waiting(test, version)];
    expect((await news(test)).version).toBe(version);
    expect(held.map(({ answered }) => answered())).toEqual([false, false]);
    await revokeIn(other, { orgId: 'org_local', kind: 'jti', value: 'one', now: test.clock.now });
    await other.destroy();
    for (const { answer } of held) {
      const { revocations, version: next } = await answer;
      expect(revocations).toMatchObject([{ kind: 'jti', value: 'one' }]);
      expect(next).not.toBe(version);
    }
  });

  it.each(['create', 'deactivate'])(
    'comes when a signing key changes (%s), and says that it was a key',
    async (change) => {
      await using test = await startTestControl();
      const key = (await test.call('POST', '/v1/signing-keys', { body: { alg: 'Ed25519' } })).body;
      await expect.poll(async () => (await news(test)).keys, { timeout: 5000 }).toMatch(/^2-/);
      const { version, keys } = await news(test);
      const held = waiting(test, version);
      if (change === 'create') await test.call('POST', '/v1/signing-keys', { body: { alg: 'Ed25519' } });
      else await test.call('POST', `/v1/signing-keys/${key.id}/deactivate`);
      const answer = await held.answer;
      expect(answer.keys).not.toBe(keys);
      expect(answer.revocations).toEqual([]);
    },
  );

  it('comes at once to who has seen something else', async () => {
    await using test = await startTestControl();
    expect((await waiting(test, 'nothing').answer).revocations).toEqual([]);
  });

  it('does not hold up the end of the control plane', async () => {
    await using test = await startTestControl();
    const { version } = await news(test);
    const url = `${test.base}/internal/revocations?wait=30&seen=${version}`;
    const held = fetch(url, { headers: { authorization: `Bearer ${serviceToken}` } }).catch(() => 'cut');
    await expect.poll(() => fetch(`${test.base}/healthz`).then(({ ok }) => ok)).toBe(true);
    await test.control.close();
    expect(await held).toBe('cut');
  });
});

it.each([[{}], [{ jti: 'a', viewerId: 'b' }], [{ inputId: '../x' }], [{ viewerId: 'a\nb' }]])(
  'refuses to revoke %j',
  async (body) => {
    await using test = await startTestControl();
    expect((await revoke(test, body)).body.error.code).toBe('INVALID_ARGUMENT');
  },
);

it('cuts who publishes to an input that is disabled or deleted, and who watches a deleted one', async () => {
  await using test = await startTestControl();
  const input = (await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } })).body;
  await test.call('POST', `/v1/live-inputs/${input.id}/disable`);
  const kinds = async () => (await news(test)).revocations.map(({ kind }: { kind: string }) => kind).toSorted();
  expect(await kinds()).toEqual(['publish']);
  await test.call('DELETE', `/v1/live-inputs/${input.id}`);
  expect(await kinds()).toEqual(['input', 'publish', 'publish']);
});

it('redeems a one-time token once', async () => {
  await using test = await startTestControl();
  const answers = await Promise.all(Array.from({ length: 5 }, () => redeem(test, 'jti_x')));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409, 409]);
  expect((await redeem(test, 'jti_y')).status).toBe(200);
});

it('mints what the caller binds the token to', async () => {
  await using test = await startTestControl();
  const notBefore = new Date(test.clock.now + 60_000).toISOString();
  const rules = {
    origins: ['https://example.com'],
    addresses: ['203.0.113.0/24', '2001:db8::1'],
  };
  const { body } = await mint(test, {
    notBefore,
    ttlSeconds: 60,
    once: true,
    renditions: ['video/720p', 'audio'],
    ...rules,
  });
  const claims = decodeJwt(body.token);
  const from = Math.ceil(Date.parse(notBefore) / 1000);
  expect(claims).toMatchObject({ nbf: from, exp: from + 60, once: true, tracks: ['video/720p', 'audio'], ...rules });
  expect(claims.jti).toBe(body.jti);
});

it.each([
  [{ notBefore: '2999-01-01T00:00:00Z' }],
  [{ notBefore: 'tomorrow' }],
  [{ origins: ['https://example.com/path'] }],
  [{ origins: ['javascript:alert(1)'] }],
  [{ addresses: ['203.0.113.0/33'] }],
  [{ addresses: ['example.com'] }],
  [{ renditions: [] }],
  [{ renditions: ['a b'] }],
  [{ viewerId: 'a\nb' }],
])('refuses to mint with %j', async (body) => {
  await using test = await startTestControl();
  const answer = await mint(test, body);
  expect([answer.status, answer.body.error.code]).toEqual([400, 'INVALID_ARGUMENT']);
});

it('slows down a key that mints without end', { timeout: 60_000 }, async () => {
  await using test = await startTestControl();
  const input = (await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } })).body;
  const path = `/v1/live-inputs/${input.id}/playback-tokens`;
  const statuses = new Map<number, number>();
  for (let i = 0; i < 1003; i++) {
    const { status } = await test.call('POST', path);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  }
  expect([...statuses]).toEqual([
    [200, 1000],
    [429, 3],
  ]);
  test.clock.now += 10;
  expect((await test.call('POST', path)).status).toBe(200);
});
