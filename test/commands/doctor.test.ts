import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataDirCheck, ffmpegCheck, nodeCheck, quicCheck } from '../../commands/doctor/machine.ts';
import { portsCheck } from '../../commands/doctor/ports.ts';
import { expiryCheck, udpCheck } from '../../commands/doctor/relay.ts';
import { clockCheck } from '../../commands/doctor/server.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { type Serve, startServe } from '../helpers/streams-cli.ts';
import { apiServer } from './api-server.ts';
import { commandLine } from './command-line.ts';

const signal = new AbortController().signal;
type Checks = { name: string; status: string; message: string; hint?: string }[];
const named = (checks: unknown, name: string) => (checks as Checks).find((check) => check.name === name);

describe('the checks', () => {
  it('know which Node is old, and a QUIC module that does not load', () => {
    expect(nodeCheck('20.19.0').status).toBe('ok');
    expect(nodeCheck('24.0.0').status).toBe('ok');
    expect(nodeCheck('20.18.3')).toMatchObject({ status: 'fail', hint: expect.stringContaining('nodejs.org') });
    const broken = () => {
      throw new StreamsError('QUIC_UNAVAILABLE', 'there is no QUIC socket', { hint: 'cargo build' });
    };
    expect(quicCheck(broken)).toMatchObject({ status: 'fail', hint: 'cargo build' });
    expect(quicCheck().status).toBe('ok');
  });

  it('find ffmpeg and its encoders, or say what to install', async () => {
    expect(await ffmpegCheck(process.env, signal)).toMatchObject({
      status: 'ok',
      message: expect.stringContaining('libx264'),
    });
    for (const env of [{ PATH: '/nowhere' }, { ...process.env, STREAMS_FFMPEG: '' }])
      expect(await ffmpegCheck(env, signal)).toMatchObject({
        status: 'warn',
        message: 'not found: inputs are passed through, without renditions',
      });
    expect(await ffmpegCheck({ STREAMS_FFMPEG: process.execPath }, signal)).toMatchObject({ status: 'warn' });
  });

  it('see a folder that others may read', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'streams-doctor-'));
    try {
      expect((await dataDirCheck(dir)).status).toBe('ok');
      expect((await dataDirCheck(join(dir, 'a', 'b'))).message).toContain('made at the first start');
      await chmod(dir, 0o755);
      expect(await dataDirCheck(dir)).toMatchObject({ status: 'warn', hint: `chmod 700 ${dir}` });
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  it('see ports in use, unless they are ours', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const ports = [{ option: '--rtmp-port', protocol: 'tcp', port } as const];
    try {
      const taken = await portsCheck(ports, '127.0.0.1', false);
      expect(taken).toMatchObject({
        status: 'fail',
        message: `${port}/tcp: in use`,
        hint: expect.stringContaining('--rtmp-port 0'),
      });
      expect((await portsCheck(ports, '127.0.0.1', true)).status).toBe('ok');
    } finally {
      holder.close();
      await once(holder, 'close');
    }
    expect((await portsCheck(ports, '127.0.0.1', false)).status).toBe('ok');
  });

  it('measure the clock against whole seconds', () => {
    const at = Date.UTC(2026, 10, 20, 12, 0, 0);
    const date = new Date(at).toUTCString();
    expect(clockCheck(date, at + 900, at + 950)).toMatchObject({ status: 'ok', message: 'agrees with the server' });
    expect(clockCheck(date, at + 4000, at + 4100)).toMatchObject({
      status: 'warn',
      message: '3.0 s ahead of the server',
    });
    expect(clockCheck(date, at - 9000, at - 8900)).toMatchObject({
      status: 'fail',
      message: '8.9 s behind the server',
    });
    expect(clockCheck(null, at, at).status).toBe('warn');
  });

  it('count the days of a certificate', () => {
    const now = Date.parse('2026-11-20T00:00:00Z');
    expect(expiryCheck('2026-11-19', '2026-12-03', now)).toMatchObject({ status: 'ok', message: '13 days left' });
    expect(expiryCheck('2026-11-01', '2026-11-21', now).status).toBe('warn');
    expect(expiryCheck('2026-11-01', '2026-11-19', now).status).toBe('fail');
    expect(expiryCheck('2026-11-21', '2026-12-19', now).status).toBe('fail');
  });

  it('see a relay that no packet reaches', { timeout: 15_000 }, async () => {
    const hash = 'ab'.repeat(32);
    const check = await udpCheck({ url: 'https://127.0.0.1:9', certificateSha256: hash }, signal);
    expect(check).toMatchObject({ status: 'fail', hint: expect.stringContaining('UDP port 9') });
  });
});

describe('streams doctor', () => {
  let serve: Serve;
  beforeAll(async () => {
    serve = await startServe();
  });
  afterAll(() => serve.stop());

  it('finds a running server in order, and fails with what is not', async () => {
    const env = { ...process.env, STREAMS_API_URL: serve.urls.http, STREAMS_API_KEY: serve.apiKey };
    const json = await commandLine(['doctor', '--json'], { env });
    const { checks } = json.lines()[0]!;
    for (const name of ['node', 'quic', 'server', 'clock', 'API key', 'relay (UDP)'])
      expect(named(checks, name), name).toMatchObject({ status: 'ok' });
    const human = await commandLine(['doctor'], { env: { ...env, STREAMS_API_KEY: 'ak_live_wrong' } });
    expect(human.code).toBe(1);
    expect(human.stdout).toMatch(/^✖ API key +refused by .*: not known there\n +→ streams login$/m);
    expect(human.stderr).toContain('API key');
  });

  it('says when nothing or something else answers', async () => {
    const away = await commandLine(['doctor', '--json'], {
      env: { ...process.env, STREAMS_API_URL: 'http://127.0.0.1:65535' },
    });
    expect(named(away.lines()[0]!.checks, 'server')).toMatchObject({
      status: 'warn',
      hint: expect.stringContaining('streams serve'),
    });
    await using other = await apiServer(() => ({ status: 404, body: 'no' }));
    const wrong = await commandLine(['doctor', '--json'], { env: { ...process.env, STREAMS_API_URL: other.url } });
    expect(named(wrong.lines()[0]!.checks, 'server')).toMatchObject({ status: 'fail' });
    expect(wrong.code).toBe(1);
  });
});
