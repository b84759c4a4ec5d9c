import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeApiKey } from '../../src/control/auth/api-key.ts';
import type { Scope } from '../../src/control/context.ts';
import { operations } from '../../src/control/operations/registry.ts';
import { openSqliteStore } from '../../src/control/store/sqlite.ts';
import { isId, isKey, newId, newKey } from '../../src/core/ids.ts';
import { type Answer, serviceToken, startTestControl, type TestControl } from './helpers.ts';

type Form = 'rest' | 'trpc';

/** Ids of the org under test that the cases work on; `throwaway*` are made anew for each run of a case. */
type Ids = { input: string; signingKey: string; apiKey: string; webhook: string; delivery: string; asset: string };

const publicKeyPem = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const input = {
  id: expect.stringMatching(/^lv_[0-9A-Za-z]{22}$/),
  external_input_id: null,
  name: 'show',
  status: 'idle',
  ingest: 'rtmp',
  enabled: true,
  record: false,
  ladder: 'none',
  createdAt: expect.stringMatching(iso),
};
const signingKey = {
  id: expect.stringMatching(/^rk_/),
  alg: 'Ed25519',
  use: 'playback',
  publicKeyPem: expect.stringContaining('BEGIN PUBLIC KEY'),
  status: 'active',
  imported: false,
  createdAt: expect.stringMatching(iso),
  endsAt: null,
};
const apiKey = {
  id: expect.stringMatching(/^ak_/),
  name: 'ci',
  scopes: ['streams:read'],
  createdAt: expect.stringMatching(iso),
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
};
/** Nothing listens on port 1 of loopback. */
const deadEnd = 'http://127.0.0.1:1/';
const webhook = {
  id: expect.stringMatching(/^wh_/),
  url: deadEnd,
  events: ['key.rotated'],
  createdAt: expect.stringMatching(iso),
  failingSince: expect.toBeOneOf([null, expect.stringMatching(iso)]),
  disabledAt: null,
};
const delivery = {
  id: expect.stringMatching(/^whd_/),
  webhookId: expect.stringMatching(/^wh_/),
  eventId: expect.stringMatching(/^evt_/),
  event: 'key.rotated',
  status: 'pending',
  attempts: expect.any(Number),
  responseStatus: null,
  error: expect.toBeOneOf([null, 'ECONNREFUSED']),
  createdAt: expect.stringMatching(iso),
  nextAttemptAt: expect.stringMatching(iso),
  deliveredAt: null,
};
const asset = {
  id: expect.stringMatching(/^as_/),
  playbackId: expect.stringMatching(/^pb_/),
  external_asset_id: null,
  inputId: null,
  name: 'film',
  status: 'uploading',
  percent: 0,
  error: null,
  durationMs: null,
  bytes: null,
  createdAt: expect.stringMatching(iso),
  updatedAt: expect.stringMatching(iso),
};
const org = { id: 'org_local', name: 'local', createdAt: expect.stringMatching(iso) };
const quotas = {
  id: 'org_local',
  quotas: {
    inputs: 20_000,
    assets: expect.any(Number),
    unfinishedUploads: 1000,
    unfinishedBytes: 10e12,
    webhooks: 100,
    tokensPerMinute: 30_000,
  },
  used: {
    inputs: expect.any(Number),
    assets: expect.any(Number),
    unfinishedUploads: expect.any(Number),
    unfinishedBytes: 0,
    webhooks: expect.any(Number),
  },
};
const broadcastSession = {
  id: 'b1',
  inputId: 'lv_x',
  node: 'relay-1',
  startedAt: expect.stringMatching(iso),
  endedAt: expect.stringMatching(iso),
  seconds: 10,
  bytes: 5000,
  objects: 50,
  reason: 'finished',
  transport: 'quic',
  version: 'moqt-18',
};
const revocation = {
  id: expect.stringMatching(/^rev_/),
  kind: 'viewer',
  value: 'viewer 7',
  createdAt: expect.stringMatching(iso),
  expiresAt: expect.stringMatching(iso),
};
const listed = (item: object) => ({
  items: expect.arrayContaining([item]),
  nextCursor: expect.toBeOneOf([null, expect.any(String)]),
});

type Case = {
  name: string;
  rest: [method: string, path: string];
  scope: Scope | null;
  /** Fields beside the id. */
  fields?: Record<string, unknown>;
  /** Done first, so that there is something to answer. */
  before?: (on: TestControl) => Promise<unknown>;
  /** Which id the call is about. */
  about?: keyof Ids;
  /** Exactly what tRPC answers; REST adds `restAdds`. */
  answer: Record<string, unknown>;
  /** Where the shapes of published SDKs differ from REST in more than the id that an input carries. */
  trpcAnswer?: unknown;
  restAdds?: Record<string, unknown>;
  /** Writes an audit row, on what it answers or on what it is about. */
  audited?: boolean | 'about';
};

const withKey = { ...input, stream_key_cleartext: expect.stringMatching(/^sk_live_[0-9A-Za-z]{28}$/) };
const urls = {
  urls: {
    rtmp: expect.stringMatching(/^rtmp:\/\/127\.0\.0\.1:1935\/live\/lv_\w+\?sk=sk_live_\w+$/),
    rtmpServer: 'rtmp://127.0.0.1:1935/live',
    rtmpStreamKey: expect.stringMatching(/^lv_\w+\?sk=sk_live_\w+$/),
  },
};

const cases: Case[] = [
  {
    name: 'liveInputs.create',
    rest: ['POST', '/v1/live-inputs'],
    scope: 'streams:write',
    fields: { name: 'show', ingest: 'rtmp' },
    answer: withKey,
    restAdds: urls,
    audited: true,
  },
  {
    name: 'liveInputs.list',
    rest: ['GET', '/v1/live-inputs'],
    scope: 'streams:read',
    answer: listed(input),
    trpcAnswer: expect.arrayContaining([{ ...input, external_input_id: input.id }]),
  },
  {
    name: 'liveInputs.get',
    rest: ['GET', '/v1/live-inputs/:id'],
    scope: 'streams:read',
    about: 'input',
    answer: input,
    restAdds: {
      urls: {
        rtmp: expect.stringMatching(/^rtmp:\/\/127\.0\.0\.1:1935\/live\/lv_\w+$/),
        rtmpServer: 'rtmp://127.0.0.1:1935/live',
      },
    },
  },
  {
    name: 'liveInputs.status',
    rest: ['GET', '/v1/live-inputs/:id/status'],
    scope: 'streams:read',
    about: 'input',
    answer: {
      id: input.id,
      status: 'idle',
      enabled: true,
      since: input.createdAt,
      error: null,
      stats: null,
      statsAt: null,
    },
  },
  {
    name: 'liveInputs.update',
    rest: ['PATCH', '/v1/live-inputs/:id'],
    scope: 'streams:write',
    about: 'input',
    fields: { name: 'renamed' },
    answer: { ...input, name: 'renamed' },
    audited: true,
  },
  {
    name: 'liveInputs.disable',
    rest: ['POST', '/v1/live-inputs/:id/disable'],
    scope: 'streams:write',
    about: 'input',
    answer: { ...input, enabled: false },
    audited: true,
  },
  {
    name: 'liveInputs.enable',
    rest: ['POST', '/v1/live-inputs/:id/enable'],
    scope: 'streams:write',
    about: 'input',
    answer: input,
    audited: true,
  },
  {
    name: 'liveInputs.rotateStreamKey',
    rest: ['POST', '/v1/live-inputs/:id/rotate-stream-key'],
    scope: 'streams:write',
    about: 'input',
    answer: withKey,
    restAdds: urls,
    audited: true,
  },
  {
    name: 'liveInputs.mintPlaybackToken',
    rest: ['POST', '/v1/live-inputs/:id/playback-tokens'],
    scope: 'streams:write',
    about: 'input',
    fields: { ttlSeconds: 60 },
    answer: {
      token: expect.stringMatching(/^ey[\w-]+\.[\w-]+\.[\w-]+$/),
      kid: expect.stringMatching(/^rk_/),
      alg: 'EdDSA',
      expires_at: expect.stringMatching(iso),
      input,
    },
    trpcAnswer: {
      token: expect.stringMatching(/^ey[\w-]+\.[\w-]+\.[\w-]+$/),
      kid: expect.stringMatching(/^rk_/),
      alg: 'EdDSA',
      expires_at: expect.toSatisfy(Number.isInteger),
      input: input.id,
    },
    restAdds: {
      jti: expect.stringMatching(/^jti_/),
      url: expect.stringMatching(/^https:\/\/127\.0\.0\.1:4443\/playback\/lv_\w+\?tok=ey/),
      watchUrl: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/watch\/lv_\w+\?tok=ey/),
    },
  },
  {
    name: 'playback.revoke',
    rest: ['POST', '/v1/playback/revocations'],
    scope: 'streams:write',
    fields: { viewerId: 'viewer 7' },
    answer: revocation,
    audited: true,
  },
  {
    name: 'playback.listRevocations',
    rest: ['GET', '/v1/playback/revocations'],
    scope: 'streams:read',
    before: (on) => on.call('POST', '/v1/playback/revocations', { body: { viewerId: 'viewer 7' } }),
    answer: listed(revocation),
  },
  {
    name: 'liveInputs.delete',
    rest: ['DELETE', '/v1/live-inputs/:id'],
    scope: 'streams:write',
    about: 'input',
    answer: { id: input.id, deleted: true },
    audited: true,
  },
  {
    name: 'signingKeys.create',
    rest: ['POST', '/v1/signing-keys'],
    scope: 'streams:admin',
    fields: { alg: 'Ed25519', use: 'playback' },
    answer: signingKey,
    audited: true,
  },
  {
    name: 'signingKeys.list',
    rest: ['GET', '/v1/signing-keys'],
    scope: 'streams:read',
    answer: listed(signingKey),
    trpcAnswer: expect.arrayContaining([signingKey]),
  },
  {
    name: 'signingKeys.import',
    rest: ['POST', '/v1/signing-keys/import'],
    scope: 'streams:admin',
    fields: { publicKeyPem },
    answer: { ...signingKey, imported: true },
    audited: true,
  },
  {
    name: 'signingKeys.rotate',
    rest: ['POST', '/v1/signing-keys/:id/rotate'],
    scope: 'streams:admin',
    about: 'signingKey',
    answer: signingKey,
    audited: 'about',
  },
  {
    name: 'signingKeys.delete',
    rest: ['DELETE', '/v1/signing-keys/:id'],
    scope: 'streams:admin',
    about: 'signingKey',
    fields: { force: true },
    answer: { id: signingKey.id, deleted: true },
    audited: true,
  },
  {
    name: 'signingKeys.deactivate',
    rest: ['POST', '/v1/signing-keys/:id/deactivate'],
    scope: 'streams:admin',
    about: 'signingKey',
    answer: { ...signingKey, status: 'inactive', endsAt: expect.stringMatching(iso) },
    audited: true,
  },
  {
    name: 'apiKeys.create',
    rest: ['POST', '/v1/api-keys'],
    scope: 'streams:admin',
    fields: { name: 'ci', scopes: ['streams:read'] },
    answer: { ...apiKey, api_key_cleartext: expect.stringMatching(/^ak_live_[0-9A-Za-z]{28}$/) },
    audited: true,
  },
  { name: 'apiKeys.list', rest: ['GET', '/v1/api-keys'], scope: 'streams:admin', answer: listed(apiKey) },
  {
    name: 'apiKeys.revoke',
    rest: ['POST', '/v1/api-keys/:id/revoke'],
    scope: 'streams:admin',
    about: 'apiKey',
    answer: { ...apiKey, revokedAt: expect.stringMatching(iso) },
    audited: true,
  },
  {
    name: 'assets.create',
    rest: ['POST', '/v1/assets'],
    scope: 'streams:write',
    fields: { name: 'film' },
    answer: asset,
    audited: true,
  },
  { name: 'assets.list', rest: ['GET', '/v1/assets'], scope: 'streams:read', answer: listed(asset) },
  { name: 'assets.get', rest: ['GET', '/v1/assets/:id'], scope: 'streams:read', about: 'asset', answer: asset },
  {
    name: 'assets.update',
    rest: ['PATCH', '/v1/assets/:id'],
    scope: 'streams:write',
    about: 'asset',
    fields: { name: 'another' },
    answer: { ...asset, name: 'another' },
    audited: true,
  },
  {
    name: 'assets.delete',
    rest: ['DELETE', '/v1/assets/:id'],
    scope: 'streams:write',
    about: 'asset',
    answer: { id: asset.id, deleted: true },
    audited: true,
  },
  {
    name: 'assets.mintPlaybackToken',
    rest: ['POST', '/v1/assets/:id/playback-tokens'],
    scope: 'streams:write',
    about: 'asset',
    answer: {
      token: expect.stringMatching(/^ey[\w-]+\.[\w-]+\.[\w-]+$/),
      jti: expect.stringMatching(/^jti_/),
      kid: expect.stringMatching(/^rk_/),
      alg: 'EdDSA',
      expires_at: expect.stringMatching(iso),
      asset,
      watchUrl: expect.stringMatching(/\/watch\/pb_\w+\?tok=ey/),
    },
  },
  { name: 'orgs.get', rest: ['GET', '/v1/org'], scope: 'streams:read', answer: org },
  {
    name: 'orgs.update',
    rest: ['PATCH', '/v1/org'],
    scope: 'streams:admin',
    fields: { name: 'local' },
    answer: org,
    audited: true,
  },
  {
    name: 'orgs.create',
    rest: ['POST', '/v1/orgs'],
    scope: 'streams:admin',
    fields: { name: 'branch' },
    answer: {
      id: expect.stringMatching(/^org_[0-9A-Za-z]{22}$/),
      name: 'branch',
      createdAt: expect.stringMatching(iso),
      api_key_cleartext: expect.stringMatching(/^ak_live_[0-9A-Za-z]{28}$/),
    },
    audited: true,
  },
  {
    name: 'orgs.list',
    rest: ['GET', '/v1/orgs'],
    scope: 'streams:admin',
    before: (on) => on.call('POST', '/v1/orgs', { body: { name: 'branch' } }),
    answer: listed({ id: expect.stringMatching(/^org_/), name: 'branch', createdAt: expect.stringMatching(iso) }),
  },
  { name: 'orgs.quotas', rest: ['GET', '/v1/org/quotas'], scope: 'streams:read', answer: quotas },
  {
    name: 'orgs.setQuotas',
    rest: ['PATCH', '/v1/org/quotas'],
    scope: 'streams:admin',
    fields: { forOrg: 'org_local', assets: 5000 },
    answer: { ...quotas, quotas: { ...quotas.quotas, assets: 5000 } },
    audited: true,
  },
  {
    name: 'analytics.summary',
    rest: ['GET', '/v1/analytics/summary'],
    scope: 'streams:read',
    answer: {
      items: [
        {
          inputId: 'lv_x',
          sessions: 1,
          viewers: 1,
          watchSeconds: 10,
          startupMs: 80,
          startupMsMax: 80,
          dropped: 2,
          groupsDropped: 1,
          bytes: 5000,
        },
      ],
    },
  },
  {
    name: 'analytics.viewers',
    rest: ['GET', '/v1/analytics/viewers'],
    scope: 'streams:read',
    answer: { viewers: 0, items: [] },
  },
  {
    name: 'analytics.concurrency',
    rest: ['GET', '/v1/analytics/concurrent-viewers'],
    scope: 'streams:read',
    answer: {
      peak: 1,
      items: expect.arrayContaining([{ at: expect.stringMatching(iso), viewers: 0 }]),
    },
  },
  {
    name: 'analytics.broadcasts',
    rest: ['GET', '/v1/analytics/broadcasts'],
    scope: 'streams:read',
    answer: { items: [broadcastSession], nextCursor: null },
  },
  {
    name: 'analytics.viewerSessions',
    rest: ['GET', '/v1/analytics/viewer-sessions'],
    scope: 'streams:read',
    answer: {
      items: [{ ...broadcastSession, id: 'v1', viewerId: 'viewer 7', startupMs: 80, dropped: 2, groupsDropped: 1 }],
      nextCursor: null,
    },
  },
  {
    name: 'analytics.events',
    rest: ['GET', '/v1/analytics/events'],
    scope: 'streams:read',
    answer: {
      items: [
        {
          id: 'e1',
          type: 'stall',
          at: expect.stringMatching(iso),
          inputId: 'lv_x',
          viewerId: null,
          data: { seconds: 2 },
        },
      ],
      nextCursor: null,
    },
  },
  {
    name: 'webhooks.create',
    rest: ['POST', '/v1/webhooks'],
    scope: 'streams:admin',
    fields: { url: deadEnd, events: ['key.rotated'] },
    answer: { ...webhook, secret_cleartext: expect.stringMatching(/^whsec_[\w-]{43}$/) },
    audited: true,
  },
  { name: 'webhooks.list', rest: ['GET', '/v1/webhooks'], scope: 'streams:read', answer: listed(webhook) },
  {
    name: 'webhooks.enable',
    rest: ['POST', '/v1/webhooks/:id/enable'],
    scope: 'streams:admin',
    about: 'webhook',
    answer: { ...webhook, failingSince: null },
    audited: true,
  },
  {
    name: 'webhooks.delete',
    rest: ['DELETE', '/v1/webhooks/:id'],
    scope: 'streams:admin',
    about: 'webhook',
    answer: { id: webhook.id, deleted: true },
    audited: true,
  },
  {
    name: 'webhooks.deliveries',
    rest: ['GET', '/v1/webhooks/:id/deliveries'],
    scope: 'streams:read',
    about: 'webhook',
    answer: listed(delivery),
  },
  {
    name: 'webhooks.replay',
    rest: ['POST', '/v1/webhook-deliveries/:id/replay'],
    scope: 'streams:write',
    about: 'delivery',
    answer: delivery,
    audited: true,
  },
  {
    name: 'auditLog.list',
    rest: ['GET', '/v1/audit-log'],
    scope: 'streams:admin',
    answer: listed({
      id: expect.stringMatching(/^aud_/),
      at: expect.stringMatching(iso),
      actor: expect.stringMatching(/^ak_/),
      action: expect.any(String),
      target: expect.any(String),
      requestId: expect.stringMatching(/^req_/),
    }),
  },
  {
    name: 'auth.whoami',
    rest: ['GET', '/v1/whoami'],
    scope: null,
    answer: {
      orgId: 'org_local',
      apiKeyId: expect.stringMatching(/^ak_/),
      name: 'local admin',
      scopes: ['streams:read', 'streams:write', 'streams:admin', 'ingest'],
    },
  },
  {
    name: 'server.status',
    rest: ['GET', '/v1/status'],
    scope: 'streams:read',
    answer: {
      issuer: expect.stringMatching(/^streams:/),
      urls: {
        http: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        relay: 'https://127.0.0.1:4443',
        rtmp: 'rtmp://127.0.0.1:1935',
      },
      inputs: { idle: expect.any(Number), live: 0, errored: 0 },
    },
  },
];

let test: TestControl;
const keys = { revoked: '', expired: '', unknown: newKey('ak_live'), otherOrg: '' };
const otherOrg = newId('org');
const scoped = new Map<Scope, string>();

beforeAll(async () => {
  test = await startTestControl({ allowPrivateWebhooks: true });
  test.control.setEndpoints({ relayUrl: 'https://127.0.0.1:4443', rtmpUrl: 'rtmp://127.0.0.1:1935' });
  const create = async (fields: object) => (await test.call('POST', '/v1/api-keys', { body: fields })).body;
  const revoked = await create({ name: 'revoked', scopes: ['streams:admin'] });
  await test.call('POST', `/v1/api-keys/${revoked.id}/revoke`);
  keys.revoked = revoked.api_key_cleartext;
  keys.expired = (await create({ name: 'expired', scopes: ['streams:admin'], expiresInSeconds: 60 })).api_key_cleartext;
  test.clock.now += 61_000;
  for (const scope of ['streams:read', 'streams:write', 'streams:admin', 'ingest'] as const)
    scoped.set(scope, (await create({ name: scope, scopes: [scope] })).api_key_cleartext);
  const now = test.clock.now;
  const session = {
    org: 'org_local',
    inputId: 'lv_x',
    startedAt: now - 10_000,
    endedAt: now,
    updatedAt: now,
    bytes: 5000,
    objects: 50,
    reason: 'finished',
    transport: 'quic',
    version: 'moqt-18',
  };
  await test.call('POST', '/internal/analytics', {
    key: serviceToken,
    body: {
      node: 'relay-1',
      broadcasts: [{ id: 'b1', ...session }],
      viewers: [{ id: 'v1', ...session, viewer: 'viewer 7', startupMs: 80, dropped: 2, groupsDropped: 1 }],
    },
  });
  const event = { id: 'e1', type: 'stall', at: new Date(now).toISOString(), inputId: 'lv_x', data: { seconds: 2 } };
  await test.call('POST', '/v0/events', { body: event });
  // A second org beside ours, straight into the store: there is no operation that makes one.
  const db = await openSqliteStore(`${test.dataDir}/control.db`);
  await db.insertInto('orgs').values({ id: otherOrg, name: 'other', created_at: 0 }).execute();
  const { row, cleartext } = makeApiKey({
    orgId: otherOrg,
    name: 'x',
    scopes: ['streams:admin'],
    now: 0,
    expiresAt: null,
  });
  await db.insertInto('api_keys').values(row).execute();
  await db.destroy();
  keys.otherOrg = cleartext;
});
afterAll(() => test?.[Symbol.asyncDispose]());

/** Fresh things to act on, so that cases do not depend on each other. */
async function make(): Promise<Ids> {
  test.clock.now += 1; // the newest come first in lists
  const made = async (path: string, body: object) => (await test.call('POST', path, { body })).body.id as string;
  return {
    input: await made('/v1/live-inputs', { name: 'show' }),
    signingKey: await made('/v1/signing-keys', {}),
    apiKey: await made('/v1/api-keys', { name: 'ci' }),
    asset: await made('/v1/assets', { name: 'film' }),
    ...(await makeDelivery()),
  };
}

/** A webhook that was told of a rotation, at an address that does not answer. */
async function makeDelivery(): Promise<{ webhook: string; delivery: string }> {
  const webhook = (await test.call('POST', '/v1/webhooks', { body: { url: deadEnd, events: ['key.rotated'] } })).body
    .id;
  const input = (await test.call('POST', '/v1/live-inputs', { body: { name: 'rotated' } })).body.id;
  await test.call('POST', `/v1/live-inputs/${input}/rotate-stream-key`);
  const { body } = await test.call('GET', `/v1/webhooks/${webhook}/deliveries`);
  for (const other of (await test.call('GET', '/v1/webhooks?limit=200')).body.items)
    if (other.id !== webhook) await test.call('DELETE', `/v1/webhooks/${other.id}`);
  return { webhook, delivery: body.items[0].id };
}

const unknownIds = (): Ids => ({
  input: newId('lv'),
  signingKey: newId('rk'),
  apiKey: newId('ak'),
  webhook: newId('wh'),
  delivery: newId('whd'),
  asset: newId('as'),
});

function run(c: Case, form: Form, ids: Ids, key: string | null, extra: object = {}): Promise<Answer> {
  const address = `test ${Math.random()}`; // failures here are wanted, and not of one address
  const about = c.about === undefined ? {} : { id: ids[c.about] };
  const query = !['POST', 'PATCH'].includes(c.rest[0]);
  if (form === 'rest') {
    const path = c.rest[1].replace(':id', c.about === undefined ? '' : ids[c.about]);
    const fields = { ...c.fields, ...extra } as Record<string, string>;
    const search = query && Object.keys(fields).length > 0 ? `?${new URLSearchParams(fields)}` : '';
    return test.call(c.rest[0], path + search, { key, address, ...(query ? {} : { body: fields }) });
  }
  const args = { orgId: 'org_local', ...about, ...c.fields, ...extra };
  const path = `/api/trpc/streams.${c.name}`;
  const isQuery = operations.find((operation) => operation.name === c.name)?.kind === 'query';
  return isQuery
    ? test.call('GET', `${path}?input=${encodeURIComponent(JSON.stringify(args))}`, { key, address })
    : test.call('POST', path, { body: args, key, address });
}

function errorCode(form: Form, answer: Answer): string {
  return form === 'rest' ? answer.body.error.code : answer.body.error.data.code;
}

/** Inputs carry their public id in place of the owner's own name for them. */
function inTrpc({ name, answer }: Case): unknown {
  const isInput = name.startsWith('liveInputs.') && answer !== null && typeof answer === 'object';
  return isInput && 'external_input_id' in answer ? { ...answer, external_input_id: input.id } : answer;
}

it('has a case for every operation', () => {
  expect(cases.map((c) => c.name).sort()).toEqual(operations.map((operation) => operation.name).sort());
  for (const c of cases) {
    const operation = operations.find(({ name }) => name === c.name)!;
    expect([operation.rest.method, `/v1${operation.rest.path.replace('{id}', ':id')}`]).toEqual(c.rest);
    expect(operation.scope).toBe(c.scope);
  }
});

describe.each(cases)('$name', (c) => {
  describe.each(['rest', 'trpc'] as const)('as %s', (form) => {
    it('answers, with a request id', async () => {
      const ids = await make();
      await c.before?.(test);
      const answer = await run(c, form, ids, test.adminKey);
      const creates = c.rest[0] === 'POST' && !c.rest[1].includes(':id');
      expect(answer.status, JSON.stringify(answer.body)).toBe(form === 'rest' && creates ? 201 : 200);
      expect(isId('req', answer.headers.get('x-request-id') ?? '')).toBe(true);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      if (form === 'rest') expect(answer.body).toEqual({ ...c.answer, ...c.restAdds });
      else expect(answer.body).toEqual({ result: { data: c.trpcAnswer ?? inTrpc(c) } });
      if (c.audited) {
        const db = await openSqliteStore(`${test.dataDir}/control.db`);
        const row = await db
          .selectFrom('audit_log')
          .selectAll()
          .where('request_id', '=', answer.headers.get('x-request-id'))
          .executeTakeFirst();
        await db.destroy();
        const data = form === 'rest' ? answer.body : answer.body.result.data;
        expect(row).toMatchObject({
          org_id: 'org_local',
          action: c.name,
          target: c.audited === 'about' ? ids[c.about!] : data.id,
          at: test.clock.now,
        });
        expect(row?.actor).toMatch(/^ak_/);
      }
    });

    it.each([
      ['no key', (): null => null],
      ['an unknown key', (): string => keys.unknown],
      ['a key with a typo', (): string => `${test.adminKey.slice(0, -1)}${test.adminKey.endsWith('0') ? '1' : '0'}`],
      ['a stream key', () => newKey('sk_live')],
      ['a revoked key', (): string => keys.revoked],
      ['an expired key', () => keys.expired],
    ] as const)('refuses %s', async (_, key) => {
      const ids = unknownIds();
      const answer = await run(c, form, ids, key());
      expect(answer.status).toBe(401);
      expect(errorCode(form, answer)).toBe('UNAUTHORIZED');
    });

    it('goes by scope', async () => {
      const order: Scope[] = ['streams:read', 'streams:write', 'streams:admin'];
      for (const scope of [...order, 'ingest'] as const) {
        const enough: boolean =
          c.scope === null || (scope !== 'ingest' && order.indexOf(scope) >= order.indexOf(c.scope));
        const ids = enough && c.about !== undefined ? await make() : unknownIds();
        const answer: Answer = await run(c, form, ids, scoped.get(scope)!);
        expect(answer.status === 403, `${scope}: ${answer.status}`).toBe(!enough);
        if (!enough) expect(errorCode(form, answer)).toBe('FORBIDDEN');
        else expect(answer.status).toBeLessThan(300);
      }
    });

    it('shuts out another org', async () => {
      const ids = await make();
      if (c.about !== undefined) {
        const extra = form === 'trpc' ? { orgId: otherOrg } : {};
        const answer = await run(c, form, ids, keys.otherOrg, extra);
        expect(answer.status).toBe(404);
        expect(errorCode(form, answer)).toBe('NOT_FOUND');
      } else if (c.name.endsWith('.list')) {
        const answer = await run(c, form, ids, keys.otherOrg, form === 'trpc' ? { orgId: otherOrg } : {});
        expect(answer.status).toBe(200);
        for (const id of Object.values(ids)) expect(JSON.stringify(answer.body)).not.toContain(id);
      }
      const foreign = await run(c, form, ids, test.adminKey, { orgId: otherOrg });
      expect(foreign.status).toBe(403);
      const unknown = await run(c, form, ids, test.adminKey, { orgId: newId('org') });
      expect(unknown.body.error.message).toBe(foreign.body.error.message);
    });

    if (c.about !== undefined)
      it('answers NOT_FOUND for an unknown id and INVALID_ARGUMENT for what is none', async () => {
        const ids = unknownIds();
        expect((await run(c, form, ids, test.adminKey)).status).toBe(404);
        for (const bad of ["lv_' or 1=1 --", '%2e%2e%2fetc', 'lv_short']) {
          const answer = await run(
            c,
            form,
            { input: bad, signingKey: bad, apiKey: bad, webhook: bad, delivery: bad, asset: bad },
            test.adminKey,
          );
          expect(answer.status).toBe(400);
          expect(JSON.stringify(answer.body)).not.toContain('or 1=1');
        }
      });
  });
});

describe('live inputs', () => {
  it('page through a list without losing or repeating one', async () => {
    await using fresh = await startTestControl();
    const made: string[] = [];
    for (let i = 0; i < 7; i++) {
      if (i % 3 === 0) fresh.clock.now += 1; // several in one millisecond
      made.push((await fresh.call('POST', '/v1/live-inputs', { body: { name: `n${i}` } })).body.id);
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    let pages = 0;
    while (cursor !== null) {
      const { body }: Answer = await fresh.call('GET', `/v1/live-inputs?limit=3${cursor && `&cursor=${cursor}`}`);
      expect(body.items.length).toBeLessThanOrEqual(3);
      seen.push(...body.items.map((item: { id: string }) => item.id));
      cursor = body.nextCursor;
      pages++;
    }
    expect(pages).toBe(3);
    expect(seen.toSorted()).toEqual(made.toSorted());
    expect((await fresh.call('GET', '/v1/live-inputs?cursor=zzz')).status).toBe(400);
    expect((await fresh.call('GET', '/v1/live-inputs?limit=0')).status).toBe(400);
    expect((await fresh.call('GET', '/v1/live-inputs?limit=1e9')).status).toBe(400);
  });

  it('keep external_input_id unique within the org', async () => {
    const body = { name: 'a', external_input_id: 'studio 1' };
    expect((await test.call('POST', '/v1/live-inputs', { body })).body.external_input_id).toBe('studio 1');
    const second = await test.call('POST', '/v1/live-inputs', { body });
    expect([second.status, second.body.error.code]).toEqual([409, 'CONFLICT']);
  });

  it.each([
    [{}],
    [{ name: '' }],
    [{ name: 'x'.repeat(201) }],
    [{ name: 'a\nb' }],
    [{ name: 'a', ingest: 'ftp' }],
    [[]],
    ['x'],
  ])('refuse %j', async (body) => {
    const answer = await test.call('POST', '/v1/live-inputs', { body });
    expect([answer.status, answer.body.error.code]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(answer.body.error.requestId).toBe(answer.headers.get('x-request-id'));
  });

  it('give no urls when the RTMP address is not known, or the input takes something else', async () => {
    await using fresh = await startTestControl();
    expect((await fresh.call('POST', '/v1/live-inputs', { body: { name: 'a' } })).body.urls).toBeUndefined();
    fresh.control.setEndpoints({ rtmpUrl: 'rtmp://127.0.0.1:1' });
    const srt = await fresh.call('POST', '/v1/live-inputs', { body: { name: 'a', ingest: 'srt' } });
    expect(srt.body.urls).toBeUndefined();
    expect(isKey('sk_live', srt.body.stream_key_cleartext)).toBe(true);
  });
});

it('makes the admin key once, and again only when none is left', async () => {
  await using fresh = await startTestControl();
  expect(await fresh.control.bootstrap()).toEqual({});
  const me = (await fresh.call('GET', '/v1/whoami')).body;
  await fresh.call('POST', `/v1/api-keys/${me.apiKeyId}/revoke`);
  expect((await fresh.call('GET', '/v1/whoami')).status).toBe(401);
  const { apiKey } = await fresh.control.bootstrap();
  expect((await fresh.call('GET', '/v1/whoami', { key: apiKey! })).status).toBe(200);
});
