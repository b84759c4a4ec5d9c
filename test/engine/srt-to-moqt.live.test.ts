import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { decodeCatalog } from '../../src/codec/catalog/streams-catalog.ts';
import { silentLogger } from '../../src/core/log.ts';
import { SrtListener } from '../../src/engine/ingest/srt/listener.ts';
import { demoFile, type Group, type Harness, inputId, run, startHarness, streamKey, until } from './harness.ts';
import { startLossyProxy } from './lossy-proxy.ts';
import { decodeTimes, expectDecodes, expectPlayable, subscribeAll } from './received.ts';

const source = (...before: string[]) => ['-v', 'error', '-nostdin', ...before, '-i', demoFile, '-c', 'copy'];
const push = (url: string, ...options: string[]) => run('ffmpeg', [...source('-re'), '-f', 'mpegts', ...options, url]);

const closing = (harness: Harness) => harness.log.find((line) => line.message === 'SRT connection closed')?.fields;

function needSrtTools(): void {
  if (spawnSync('srt-live-transmit', ['-version'], { stdio: 'ignore' }).error !== undefined)
    throw new Error('this test needs srt-live-transmit: apt-get install -y srt-tools');
}

/** The last catalog is there: everything before it is too. */
async function lastCatalog(catalog: Group[]) {
  await until(
    () => catalog.some((group) => group.objects.some((object) => !decodeCatalog(object.payload).live)),
    'the last catalog',
    10_000,
  );
  return decodeCatalog(catalog.at(-1)!.objects[0]!.payload).tracks;
}

/** Every step between neighbours is one frame. Answers how many there are. */
function expectContinuous(groups: Group[], step: number): number {
  const times = decodeTimes(groups);
  expect(new Set(times.slice(1).map((time, i) => time - times[i]!))).toEqual(new Set([step]));
  return times.length;
}

// Each has a harness of its own and waits for its encoder most of the time.
describe.concurrent('SRT in, MoQT out', () => {
  it('delivers all of a file ffmpeg sends, and ffprobe accepts what arrives', { timeout: 30_000 }, async () => {
    await using harness = await startHarness();
    const done = push(harness.srtUrl());
    const { catalog, video, audio } = await subscribeAll(harness);
    expect(await done).toMatchObject({ code: 0, stderr: '' });
    expect(await lastCatalog(catalog)).toMatchObject([
      { name: 'video/360p', codec: 'avc1.64001e', width: 640, height: 360, framerate: 25 },
      { name: 'audio', codec: 'mp4a.40.2', sampleRate: 48000, channels: 2 },
    ]);
    const pictures = expectContinuous(video, 3600);
    expect(pictures % 25).toBe(0);
    expect(pictures).toBeGreaterThanOrEqual(175);
    expect(expectContinuous(audio, 1024)).toBeGreaterThanOrEqual(330);
    await expectPlayable(video, audio);
    expect(harness.control.asked).toMatchObject([{ inputId, streamKey, ingest: 'srt' }]);
    expect(closing(harness)).toMatchObject({ reason: 'the caller closed it', lost: 0, undecryptable: 0, tsLost: 0 });
    expect(JSON.stringify(harness.log)).not.toContain('sk_live');
    await until(() => harness.engine.stats().live.length === 0, 'the input is idle again');
    expect(harness.engine.stats().srtConnections).toBe(0);
  });

  // Alone: what is asked for again has 200 ms to come.
  it.sequential('misses nothing of srt-live-transmit over a line that loses 5 % and reorders', {
    timeout: 30_000,
  }, async () => {
    needSrtTools();
    await using harness = await startHarness();
    await using proxy = await startLossyProxy(harness.engine.srtPort, { loss: 0.05, reorder: 0.1, seed: 7 });
    const url = harness.srtUrl('&latency=200', proxy.port);
    // A steady rate: a loss shows when the next packet comes, which must not be as late as the next picture.
    const pipe = `ffmpeg ${source('-re').join(' ')} -f mpegts -muxrate 1M - | srt-live-transmit -q -a:no -t:11 -chunk:1316 file://con '${url}'`;
    const sent = run('sh', ['-c', pipe]);
    const { catalog, video, audio } = await subscribeAll(harness);
    const figures = () => harness.control.stats;
    await until(() => Number(figures()?.missingPackets) > 0, 'the figures at the control plane', 10_000);
    expect(figures()).toMatchObject({ publisher: 'srt', retransmittedPackets: expect.any(Number), lostPackets: 0 });
    expect(figures()!.rttMs).toBeGreaterThan(0);
    // It stays after the end of its input, until its time is up.
    await sent;
    await lastCatalog(catalog);
    expect(harness.log.find((line) => line.message === 'publisher connected')?.fields).toMatchObject({
      latencyMs: 200,
    });
    expect(proxy.counts.lost).toBeGreaterThan(20);
    expect(proxy.counts.held).toBeGreaterThan(40);
    expect(closing(harness)).toMatchObject({ lost: 0 });
    const { requested, missing, retransmitted } = closing(harness) as Record<string, number>;
    expect(requested).toBeGreaterThan(10);
    expect(retransmitted).toBeGreaterThan(10);
    expect(missing).toBeGreaterThan(10);
    // Of 8 seconds the subscriber may have missed the first, and the last unit of each when the goodbye is lost.
    expect(expectContinuous(video, 3600)).toBeGreaterThanOrEqual(174);
    expect(expectContinuous(audio, 1024)).toBeGreaterThanOrEqual(320);
  });

  it.each([16, 24, 32])(
    'opens what is encrypted with keys of %i bytes, through a change of keys',
    { timeout: 30_000 },
    async (bytes) => {
      await using harness = await startHarness();
      const refresh = ['-kmrefreshrate', '200', '-kmpreannounce', '99'];
      const encryption = ['-passphrase', streamKey, '-pbkeylen', String(bytes), ...refresh];
      const done = run('ffmpeg', [...source('-readrate', '4'), '-f', 'mpegts', ...encryption, harness.srtUrl()]);
      const { catalog, video, audio } = await subscribeAll(harness);
      expect(await done).toMatchObject({ code: 0 });
      await lastCatalog(catalog);
      expect(harness.log.find((line) => line.message === 'publisher connected')?.fields).toMatchObject({
        encrypted: true,
      });
      expect(closing(harness)).toMatchObject({ lost: 0, undecryptable: 0 });
      expect(closing(harness)!.packets).toBeGreaterThan(450);
      expect(expectContinuous(video, 3600)).toBeGreaterThanOrEqual(100);
      await expectPlayable(video, audio);
    },
  );

  it('refuses a wrong key and a wrong passphrase before any media, with a reason', { timeout: 20_000 }, async () => {
    await using harness = await startHarness();
    const wrongKey = await push(harness.srtUrl().replace(streamKey, 'sk_live_wrong'));
    expect(wrongKey.code).not.toBe(0);
    const wrongSecret = await push(harness.srtUrl(), '-passphrase', 'not the stream key');
    expect(wrongSecret.code).not.toBe(0);
    expect(harness.log.filter((line) => line.level === 'warn')).toMatchObject([
      { message: 'SRT caller refused', fields: { rejection: 1401, reason: 'wrong stream key' } },
      { message: 'SRT caller refused', fields: { rejection: 10, reason: 'the passphrase is not the stream key' } },
    ]);
    expect(harness.engine.stats()).toMatchObject({ live: [], srtConnections: 0 });
    expect(harness.relays).toHaveLength(0);
    expect(JSON.stringify(harness.log)).not.toContain('sk_live');
    // What srt-live-transmit shows of it.
    needSrtTools();
    const url = harness.srtUrl('&passphrase=not the stream key');
    const shown = await run('sh', ['-c', `echo | srt-live-transmit -a:no -t:5 file://con '${url}'`]);
    expect(shown.stderr + shown.stdout).toMatch(/Incorrect passphrase/);
  });

  it('lets a second publisher with the right key take over', { timeout: 30_000 }, async () => {
    await using harness = await startHarness();
    const endless = [...source('-re', '-stream_loop', '-1'), '-f', 'mpegts', harness.srtUrl()];
    const first = spawn('ffmpeg', endless, { stdio: 'ignore' });
    const firstGone = once(first, 'close');
    try {
      const { video } = await subscribeAll(harness);
      await until(() => video.some((group) => group.objects.length > 5), 'media of the first publisher');
      const before = Math.max(...video.map((group) => group.groupId));
      const second = run('ffmpeg', [...source('-readrate', '4'), '-f', 'mpegts', harness.srtUrl()]);
      await firstGone;
      await second;
      await until(() => harness.engine.stats().live.length === 0, 'the second has finished');
      expect(harness.relays).toHaveLength(1);
      expect(video.filter((group) => group.groupId > before).length).toBeGreaterThanOrEqual(4);
      const times = decodeTimes(video);
      for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThan(0);
    } finally {
      first.kill('SIGKILL');
    }
  });

  it('is idle again some seconds after a caller was killed, and no object is torn', { timeout: 30_000 }, async () => {
    await using harness = await startHarness({ graceMs: 50 });
    const encoder = spawn('ffmpeg', [...source('-re'), '-f', 'mpegts', harness.srtUrl()], { stdio: 'ignore' });
    const { video, audio } = await subscribeAll(harness);
    await until(() => video.some((group) => group.objects.length > 5), 'media');
    encoder.kill('SIGKILL');
    await until(() => harness.engine.stats().live.length === 0, 'the input is idle', 10_000);
    expect(closing(harness)).toMatchObject({ reason: 'nothing was heard for a while' });
    expect(decodeTimes(video).length).toBeGreaterThanOrEqual(5);
    expect([...video, ...audio].filter((group) => group.reset)).toEqual([]);
  });

  // Alone: its encoder needs most of a core.
  it.sequential('passes HEVC and Opus of real encoders through', { timeout: 30_000 }, async () => {
    await using harness = await startHarness();
    // biome-ignore format: one option a line says less
    const args = ['-v', 'error', '-nostdin', '-re', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=25', '-re', '-f', 'lavfi', '-i', 'sine=r=48000', '-t', '6',
      '-pix_fmt', 'yuv420p', '-c:v', 'libx265', '-preset', 'ultrafast', '-g', '25', '-bf', '2', '-x265-params', 'log-level=none', '-c:a', 'libopus', '-ac', '2',
      '-f', 'mpegts', harness.srtUrl()];
    const done = run('ffmpeg', args);
    const { catalog, video, audio } = await subscribeAll(harness);
    expect(await done).toMatchObject({ code: 0 });
    expect(await lastCatalog(catalog)).toMatchObject([
      { name: 'video/360p', codec: expect.stringMatching(/^hvc1\.1\.6\.L63\./), width: 640, height: 360 },
      { name: 'audio', codec: 'opus', sampleRate: 48_000, channels: 2 },
    ]);
    expect(expectContinuous(video, 3600)).toBeGreaterThanOrEqual(100);
    expect(expectContinuous(audio, 960)).toBeGreaterThanOrEqual(200);
    expect(await expectDecodes([video, audio])).toMatchObject([{ codec_name: 'hevc' }, { codec_name: 'opus' }]);
  });

  it('says which codec it does not carry, and closes the connection', { timeout: 20_000 }, async () => {
    await using harness = await startHarness();
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25', '-t', '20', '-c:v', 'mpeg2video'];
    const args = ['-v', 'error', '-nostdin', '-re', ...picture, '-f', 'mpegts', harness.srtUrl()];
    const sent = run('ffmpeg', args);
    await until(() => harness.log.some((line) => line.fields?.code === 'UNSUPPORTED'), 'a word about the codec');
    expect(harness.log.find((line) => line.fields?.code === 'UNSUPPORTED')?.fields?.reason).toContain('MPEG-2 video');
    expect((await sent).code).not.toBe(0);
  });

  it('ignores garbage on its port with a bounded number of log lines', async () => {
    await using harness = await startHarness({ demo: true });
    await until(() => harness.engine.stats().live.length === 1, 'the demo is live');
    const socket = createSocket('udp4');
    try {
      socket.connect(harness.engine.srtPort, '127.0.0.1');
      await once(socket, 'connect');
      for (let i = 0; i < 500; i++) socket.send(Buffer.alloc(i % 100, i));
      await until(() => harness.log.some((line) => line.message === 'SRT packet ignored'), 'a log line');
    } finally {
      socket.close();
    }
    expect(harness.log.filter((line) => line.message === 'SRT packet ignored').length).toBeLessThanOrEqual(20);
    expect(harness.engine.stats()).toMatchObject({ srtConnections: 0, live: [{ inputId }] });
  });

  it('names the port that is in use', async () => {
    await using harness = await startHarness();
    const again = SrtListener.listen({
      host: '127.0.0.1',
      port: harness.engine.srtPort,
      logger: silentLogger,
      authorise: () => Promise.reject(new Error('not asked')),
      publish: () => ({ push() {}, end() {} }),
    });
    await expect(again).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(harness.engine.srtPort)),
      hint: expect.stringContaining('--srt-port'),
    });
  });
});
