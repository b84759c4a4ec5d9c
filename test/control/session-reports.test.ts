import { appendFile, cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Grant, nothingCarried, type SessionFigures } from '../../src/access/grant.ts';
import { silentLogger } from '../../src/core/log.ts';
import { SessionReports } from '../../src/relay/reports/session-reports.ts';
import { controlAuthoriser } from '../../src/relay/rights/control-authoriser.ts';
import { capturingLogger, serviceToken, startTestControl, type TestControl, temporaryDir } from './helpers.ts';

const poll = { timeout: 5000, interval: 20 };
/** Nobody listens there. */
const nowhere = 'http://127.0.0.1:9';

/** Sessions of one input, opened as the relay does it. */
async function sessions(test: TestControl) {
  const { body: input } = await test.call('POST', '/v1/live-inputs', { body: { name: 'a' } });
  const { body: minted } = await test.call('POST', `/v1/live-inputs/${input.id}/playback-tokens`, {
    body: { viewerId: 'x' },
  });
  const { issuer } = test.control;
  const authoriser = controlAuthoriser({ controlUrl: test.base, serviceToken, issuer, logger: silentLogger });
  const open = async (reports: SessionReports, via?: string, figures: Partial<SessionFigures> = {}): Promise<Grant> => {
    const path = `/playback/${input.id}?tok=${minted.token}`;
    const remoteAddress = '127.0.0.1:1';
    const grant = await reports
      .account(authoriser)
      .authorise({ path, remoteAddress, ...(via !== undefined && { via }) });
    grant.opened?.({ version: 'moqt-18', figures: () => ({ ...nothingCarried, ...figures }) });
    return grant;
  };
  const rows = async () => (await test.call('GET', '/v1/analytics/viewer-sessions?limit=200')).body.items;
  return { input, open, rows };
}

const watched: SessionFigures = {
  ...nothingCarried,
  bytesSent: 5000,
  objectsSent: 9,
  objectsDropped: 2,
  groupsDropped: 1,
  joinMs: 80,
};

function reportsTo(controlUrl: string, dataDir: string, everyMs = 100, logger = silentLogger): SessionReports {
  return new SessionReports({ controlUrl, serviceToken, logger, dataDir, everyMs, node: 'relay-1' });
}

it('the relay tells of each session while it goes on and when it is over', async () => {
  await using test = await startTestControl({ now: Date.now });
  await using dir = await temporaryDir();
  const { input, open, rows } = await sessions(test);
  const reports = reportsTo(test.base, dir.path);
  const viewer = await open(reports, 'qmux', watched);
  await open(reports); // plain HTTP is no session
  const view = { inputId: input.id, node: 'relay-1', viewerId: 'x', transport: 'websocket', version: 'moqt-18' };
  const figures = { bytes: 5000, objects: 9, dropped: 2, groupsDropped: 1, startupMs: 80 };
  await expect.poll(rows, poll).toMatchObject([{ ...view, ...figures, endedAt: null, reason: null }]);
  expect((await test.call('GET', '/v1/analytics/viewers')).body).toMatchObject({ viewers: 1 });
  viewer.over?.({ ...watched, bytesSent: 7000, reason: 'closed_by_caller' });
  const ended = { ...view, ...figures, bytes: 7000, endedAt: expect.any(String), reason: 'closed_by_caller' };
  await expect.poll(rows, poll).toMatchObject([ended]);
  expect(JSON.stringify(await rows())).not.toContain('127.0.0.1');
  await reports.close();
});

it('a broadcast is a row too; a session that was never established is none', async () => {
  await using test = await startTestControl({ now: Date.now });
  await using dir = await temporaryDir();
  const reports = reportsTo(test.base, dir.path);
  const grant: Grant = {
    kind: 'publish',
    publish: [['stream', 'org_local', 'lv_a']],
    subscribe: [],
    lapsed: () => undefined,
    watch: () => () => {},
  };
  const authoriser = reports.account({ authorise: async () => grant });
  const authorise = () => authoriser.authorise({ path: '', remoteAddress: '', via: 'quic' });
  (await authorise()).over?.({ ...nothingCarried, reason: 'refused' });
  const broadcast = await authorise();
  broadcast.opened?.({ version: 'moqt-16', figures: () => nothingCarried });
  broadcast.over?.({ ...nothingCarried, bytesReceived: 700, objectsReceived: 7, reason: 'finished' });
  await expect
    .poll(async () => (await test.call('GET', '/v1/analytics/broadcasts')).body.items, poll)
    .toMatchObject([
      { inputId: 'lv_a', bytes: 700, objects: 7, transport: 'quic', version: 'moqt-16', reason: 'finished' },
    ]);
  await reports.close();
});

it('rows wait on disk while the control plane is away, over a restart of the relay, and come once', async () => {
  await using test = await startTestControl({ now: Date.now });
  await using dir = await temporaryDir();
  const { open, rows } = await sessions(test);
  const log = capturingLogger();
  const first = reportsTo(nowhere, dir.path, 30, log);
  const grants = await Promise.all(Array.from({ length: 30 }, () => open(first, 'quic')));
  for (const grant of grants) grant.over?.({ ...watched, reason: 'finished' });
  await expect.poll(() => log.lines, poll).toHaveLength(1);
  await first.close();
  const dataDir = join(dir.path, 'analytics');
  expect((await readdir(dataDir)).filter((name) => name.startsWith('ended'))).toHaveLength(1);
  expect(await rows()).toEqual([]);
  const second = reportsTo(test.base, dir.path);
  await expect.poll(rows, poll).toHaveLength(30);
  await expect.poll(async () => (await readdir(dataDir)).filter((name) => name.startsWith('ended')), poll).toEqual([]);
  await second.close();
  const third = reportsTo(test.base, dir.path);
  (await open(third, 'quic')).over?.({ ...watched, reason: 'finished' });
  await expect.poll(rows, poll).toHaveLength(31);
  await third.close();
  expect(log.lines).toEqual([expect.stringContaining('sessions cannot be reported')]);
});

it('sessions that were open when the relay was killed are reported at its next start, those that had ended are not changed', async () => {
  await using test = await startTestControl({ now: Date.now });
  await using dir = await temporaryDir();
  const { open, rows } = await sessions(test);
  // Left as it is, as by kill -9.
  const killed = reportsTo(nowhere, dir.path, 50);
  await open(killed, 'quic', watched);
  const ended = await open(killed, 'webtransport');
  ended.over?.({ ...watched, reason: 'finished' });
  const path = join(dir.path, 'analytics', 'open.ndjson');
  await expect.poll(async () => (await readFile(path, 'utf8')).includes('"startupMs":80'), poll).toBe(true);
  // What it may still write is elsewhere: the next relay has the directory for itself.
  await using next = await temporaryDir();
  await cp(dir.path, next.path, { recursive: true });
  await appendFile(join(next.path, 'analytics', 'open.ndjson'), '{"id":"torn","org":"org_lo');
  const again = reportsTo(test.base, next.path);
  await expect
    .poll(async () => (await rows()).filter(({ reason }: { reason: string }) => reason === 'relay_died'), poll)
    .toMatchObject([{ transport: 'quic', bytes: 5000, startupMs: 80, endedAt: expect.any(String) }]);
  const all = await rows();
  expect(all).toHaveLength(2);
  expect(all).toContainEqual(expect.objectContaining({ transport: 'webtransport', reason: 'finished' }));
  await again.close();
});

it('a disk that takes nothing costs nothing but the wait', async () => {
  await using test = await startTestControl({ now: Date.now });
  await using dir = await temporaryDir();
  const { open, rows } = await sessions(test);
  await appendFile(join(dir.path, 'analytics'), 'a file where the directory should be');
  const log = capturingLogger();
  const reports = reportsTo(test.base, dir.path, 50, log);
  (await open(reports, 'quic')).over?.({ ...watched, reason: 'finished' });
  await expect.poll(rows, poll).toMatchObject([{ reason: 'finished' }]);
  expect(log.lines).toEqual([expect.stringContaining('cannot be kept on disk')]);
  await reports.close();
});
