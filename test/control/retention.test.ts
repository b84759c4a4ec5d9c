import { expect, it } from 'vitest';
import { parseRetention } from '../../src/control/retention.ts';
import { writeAudit } from '../../src/control/store/audit.ts';
import { forgetExpired } from '../../src/control/store/forget.ts';
import { openSqliteStore } from '../../src/control/store/sqlite.ts';
import { temporaryDir } from './helpers.ts';

const day = 86_400_000;

it('reads how long rows are kept, and refuses what it cannot', () => {
  const usual = parseRetention();
  expect(usual).toEqual({
    player_events: 90 * day,
    viewer_sessions: 400 * day,
    broadcast_sessions: 400 * day,
    audit_log: undefined,
  });
  expect(parseRetention('')).toEqual(usual);
  expect(parseRetention(' player_events=1d, viewer_sessions=forever')).toEqual({
    ...usual,
    player_events: day,
    viewer_sessions: undefined,
  });
  for (const text of [
    'player_events',
    'orgs=1d',
    'player_events=0d',
    'player_events=1h',
    'audit_log=29d',
    'toString=1d',
  ])
    expect(() => parseRetention(text)).toThrow('STREAMS_RETENTION');
});

it('throws away what is older than it is kept, and nothing else', async () => {
  await using dir = await temporaryDir();
  const db = await openSqliteStore(`${dir.path}/store.db`);
  const now = 1000 * day;
  const session = (id: string, daysAgo: number) => ({
    id,
    org_id: 'org_local',
    input_id: 'lv_x',
    node: 'n',
    started_at: 0,
    ended_at: null,
    updated_at: now - daysAgo * day,
    bytes: 0,
    objects: 0,
    reason: null,
    transport: null,
    version: null,
  });
  const viewed = { transport: 'quic', viewer: 'v', startup_ms: null, dropped: 0, groups_dropped: 0 };
  await db
    .insertInto('broadcast_sessions')
    .values([session('old', 11), session('new', 9)])
    .execute();
  await db
    .insertInto('viewer_sessions')
    .values([
      { ...session('old', 401), ...viewed },
      { ...session('new', 399), ...viewed },
    ])
    .execute();
  await db.insertInto('orgs').values({ id: 'org_local', name: 'local', created_at: 0 }).execute();
  for (const [target, daysAgo] of [
    ['old', 31],
    ['new', 29],
  ] as const) {
    const at = now - daysAgo * day;
    await writeAudit(db, { org_id: 'org_local', at, actor: 'system', action: 'x', target, request_id: null });
  }
  const left = async () => [
    (await db.selectFrom('broadcast_sessions').select('id').execute()).map(({ id }) => id),
    (await db.selectFrom('viewer_sessions').select('id').execute()).map(({ id }) => id),
    (await db.selectFrom('audit_log').select('target').execute()).map(({ target }) => target),
  ];
  await forgetExpired(db, now, undefined, parseRetention('viewer_sessions=forever,broadcast_sessions=forever'));
  expect((await left()).map((ids) => ids.length)).toEqual([2, 2, 2]);
  await forgetExpired(db, now, undefined, parseRetention('broadcast_sessions=10d,audit_log=30d'));
  expect(await left()).toEqual([['new'], ['new'], ['new']]);
  await db.destroy();
});
