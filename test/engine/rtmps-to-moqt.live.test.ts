import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Logger } from '../../src/core/log.ts';
import { RtmpServer, type RtmpServerOptions } from '../../src/engine/ingest/rtmp/server.ts';
import { testCertificate } from '../helpers/certificate.ts';
import { demoFile, inputId, run, startHarness, streamKey, until } from './harness.ts';
import { decodeTimes, expectPlayable, subscribeAll } from './received.ts';

let folder: string;
let files: { certFile: string; keyFile: string };

async function writeCertificate(): Promise<void> {
  const { certificatePem, privateKeyPem } = await testCertificate();
  await writeFile(files.certFile, certificatePem);
  await writeFile(files.keyFile, privateKeyPem);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-rtmps-'));
  files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  await writeCertificate();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const source = ['-v', 'error', '-nostdin', '-readrate', '4', '-i', demoFile, '-c', 'copy', '-f', 'flv'];

async function serve(options: Partial<RtmpServerOptions> = {}) {
  const log: string[] = [];
  const take = (message: string) => void log.push(message);
  const logger: Logger = { debug: take, info: take, warn: take, error: take };
  const never = () => Promise.reject(new Error('not asked'));
  const publish = () => ({ push() {}, end() {} });
  const options_ = { host: '127.0.0.1', port: 0, tls: files, authorise: never, publish, logger, ...options };
  const server = await RtmpServer.listen(options_);
  return { server, log, [Symbol.asyncDispose]: () => server.close() };
}

describe('RTMPS in, MoQT out', () => {
  it('delivers what ffmpeg pushes over TLS, and refuses a wrong key', { timeout: 30_000 }, async () => {
    await using harness = await startHarness({ rtmps: files });
    expect(harness.engine.rtmps).toMatchObject({ name: 'localhost' });
    const url = `rtmps://127.0.0.1:${harness.engine.rtmps!.port}/live/${inputId}?sk=`;
    expect((await run('ffmpeg', [...source, `${url}sk_live_wrong`])).code).not.toBe(0);
    const closed = harness.log.filter((line) => line.message === 'RTMP connection closed');
    expect(closed).toMatchObject([{ fields: { code: 'UNAUTHORIZED' } }]);
    const done = run('ffmpeg', [...source, url + streamKey]);
    const { video, audio } = await subscribeAll(harness);
    expect(await done).toMatchObject({ code: 0 });
    await until(() => harness.engine.stats().live.length === 0, 'the input is idle again');
    expect(decodeTimes(video).length).toBeGreaterThanOrEqual(100);
    await expectPlayable(video, audio);
    expect(JSON.stringify(harness.log)).not.toContain('sk_live');
  });

  it('closes who never shakes hands, who speaks plain RTMP, and who never publishes, in time', async () => {
    await using run = await serve({ handshakeMs: 100 });
    const silent = connectTcp(run.server.port, '127.0.0.1');
    await once(silent, 'close');
    const plain = connectTcp(run.server.port, '127.0.0.1');
    plain.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1536)]));
    plain.resume();
    plain.on('error', () => {});
    await once(plain, 'close');
    const idle = connectTls({ port: run.server.port, host: '127.0.0.1', rejectUnauthorized: false });
    idle.resume();
    await once(idle, 'secureConnect');
    await once(idle, 'close');
    expect(run.log).toEqual(['RTMP connection closed']);
  });

  it('counts connections of one address before their handshake', async () => {
    await using run = await serve({ maxPerAddress: 2 });
    const kept = [connectTcp(run.server.port, '127.0.0.1'), connectTcp(run.server.port, '127.0.0.1')];
    await Promise.all(kept.map((socket) => once(socket, 'connect')));
    const third = connectTcp(run.server.port, '127.0.0.1');
    third.on('error', () => {});
    await once(third, 'close');
    expect(run.log).toEqual(['RTMP connection refused: too many of one address']);
    for (const socket of kept) socket.destroy();
    const dial = () =>
      new Promise<boolean>((resolve) => {
        const socket = connectTls({ port: run.server.port, host: '127.0.0.1', rejectUnauthorized: false });
        socket.on('error', () => resolve(false));
        socket.on('secureConnect', () => {
          resolve(true);
          socket.destroy();
        });
      });
    await until(dial, 'room for another one');
  });

  it('closes in the middle of a handshake, and while an encoder is there', { timeout: 30_000 }, async () => {
    const run = await serve({ authorise: () => new Promise(() => {}) });
    const silent = connectTcp(run.server.port, '127.0.0.1');
    silent.on('error', () => {});
    await once(silent, 'connect');
    const encoder = spawn('ffmpeg', [...source, `rtmps://127.0.0.1:${run.server.port}/live/${inputId}?sk=x`], {
      stdio: 'ignore',
    });
    const gone = once(encoder, 'close');
    await until(() => run.server.connections === 1, 'a session', 15_000);
    await run.server.close();
    await gone;
  });

  it('refuses a certificate that is none, and names the port that is in use', async () => {
    const certFile = join(folder, 'none.pem');
    await writeFile(certFile, 'none');
    await expect(serve({ tls: { ...files, certFile } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await using run = await serve();
    await expect(serve({ port: run.server.port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      hint: expect.stringContaining('--rtmps-port'),
    });
  });

  it('shows a new certificate when its files change', { timeout: 40_000 }, async () => {
    await using run = await serve();
    const shown = async () => {
      const socket = connectTls({ port: run.server.port, host: '127.0.0.1', rejectUnauthorized: false });
      await once(socket, 'secureConnect');
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const before = await shown();
    await writeCertificate();
    await until(async () => (await shown()) !== before, 'the new certificate', 30_000);
  });
});
