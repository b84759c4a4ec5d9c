import Database from 'libsql';
import { afterEach, expect, it, vi } from 'vitest';
import type { Call, Operation } from '../../src/control/operations/define.ts';
import { operations } from '../../src/control/operations/registry.ts';
import { forgetExpired } from '../../src/control/store/forget.ts';
import type { Db } from '../../src/control/store/schema.ts';
import { openSqliteStore } from '../../src/control/store/sqlite.ts';
import { temporaryDir } from './helpers.ts';

afterEach(() => vi.restoreAllMocks());

const growing =
  /\bSCAN (?!(?:spans|changes|counted)\b)(?:viewer_sessions|broadcast_sessions|player_events|audit_log|live_inputs|assets|revocations|redeemed_tokens|events|webhook_deliveries|d|idempotency_keys|rate_limits)\b/;

/** What SQLite does for every statement that `work` runs. */
async function plansOf(file: string, work: (db: Db) => Promise<unknown>): Promise<{ sql: string; plan: string[] }[]> {
  const db = await openSqliteStore(file);
  const asked = vi.spyOn(Database.prototype, 'prepare');
  await work(db);
  const statements = asked.mock.calls.map(([sql]) => sql);
  asked.mockRestore();
  await db.destroy();
  const database = new Database(file);
  const plans = statements.map((sql) => ({
    sql,
    plan: (database.prepare(`explain query plan ${sql}`).all() as { detail: string }[]).map(({ detail }) => detail),
  }));
  database.close();
  return plans;
}

const now = 1_795_211_861_000;
const run = (db: Db, name: string, input: object) => {
  const operation = operations.find((one) => one.name === name) as Operation;
  const context = { now: () => now, liveness: { sweep: async () => {} } } as unknown as Call['context'];
  const caller = { keyId: 'ak_a', keyName: 'a', orgId: 'org_a', scopes: [] };
  return operation.run({ context, db, caller, prepared: undefined as never }, operation.input.parse(input) as never);
};

const period = { from: '2026-11-01T00:00:00Z', to: '2026-11-20T00:00:00Z' };
const inputId = 'lv_00000000000000000000000000';

it.each<[string, object]>([
  ['analytics.summary', period],
  ['analytics.summary', { ...period, by: 'day' }],
  ['analytics.summary', { ...period, inputId }],
  ['analytics.viewers', {}],
  ['analytics.viewers', { inputId }],
  ['analytics.concurrency', period],
  ['analytics.concurrency', { ...period, inputId }],
  ['analytics.broadcasts', {}],
  ['analytics.broadcasts', { inputId }],
  ['analytics.viewerSessions', {}],
  ['analytics.viewerSessions', { inputId }],
  ['analytics.viewerSessions', { viewerId: 'v' }],
  ['analytics.events', {}],
  ['analytics.events', { inputId }],
  ['analytics.events', { viewerId: 'v' }],
  ['auditLog.list', {}],
  ['auditLog.list', { target: inputId }],
  ['auditLog.list', { actor: 'ak_a' }],
  ['liveInputs.list', {}],
  ['liveInputs.list', { status: 'live' }],
  ['assets.list', {}],
  ['assets.list', { status: 'ready' }],
  ['playback.listRevocations', {}],
])('%s of %j looks at no row that it need not', async (name, input) => {
  await using dir = await temporaryDir();
  const plans = await plansOf(`${dir.path}/control.db`, (db) => run(db, name, input));
  expect(plans.length).toBeGreaterThan(0);
  for (const { sql, plan } of plans)
    expect({ sql, scans: plan.filter((line) => growing.test(line)) }).toEqual({ sql, scans: [] });
  const detail = plans.flatMap(({ plan }) => plan).join('\n');
  for (const [asked, column] of [
    ['inputId', 'input_id'],
    ['viewerId', 'viewer'],
    ['target', 'target'],
    ['actor', 'actor'],
    ['status', 'status'],
  ] as const)
    if (asked in input && name !== 'analytics.viewers') expect(detail).toContain(`${column}=?`);
  // A list is read in its order: the rows of one page.
  if (/List$|\.list|broadcasts|Sessions|events/.test(name)) expect(detail).not.toContain('TEMP B-TREE');
});

it('cleaning finds what is old by an index', async () => {
  await using dir = await temporaryDir();
  const plans = await plansOf(`${dir.path}/control.db`, (db) => forgetExpired(db, now));
  expect(plans).toHaveLength(8);
  for (const { sql, plan } of plans)
    expect({ sql, scans: plan.filter((line) => growing.test(line)) }).toEqual({ sql, scans: [] });
});
