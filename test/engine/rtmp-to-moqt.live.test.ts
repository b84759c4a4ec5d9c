import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { describe, expect, it } from 'vitest';
import { decodeCatalog } from '../../src/codec/catalog/streams-catalog.ts';
import { demoFile, inputId, run, startHarness, streamKey, until } from './harness.ts';
import { decodeTimes, expectPlayable, subscribeAll } from './received.ts';

const push = (url: string, ...before: string[]) =>
  run('ffmpeg', ['-v', 'error', '-nostdin', ...before, '-i', demoFile, '-c', 'copy', '-f', 'flv', url]);

// Each has a harness of its own and waits for its encoder most of the time.
describe.concurrent('RTMP in, MoQT out', () => {
  it('delivers all of a file ffmpeg pushes, and ffprobe accepts what arrives', async () => {
    await using harness = await startHarness();
    // Faster than real time, but not before the subscriber is there.
    const done = push(harness.url(), '-readrate', '4');
    const { catalog, video, audio } = await subscribeAll(harness);
    expect(await done).toMatchObject({ code: 0 });
    await until(
      () => catalog.some((group) => group.objects.some((object) => !decodeCatalog(object.payload).live)),
      'the last catalog',
    );

    const tracks = catalog.map((group) => decodeCatalog(group.objects[0]!.payload)).at(-1)!.tracks;
    expect(tracks).toMatchObject([
      {
        name: 'video/360p',
        kind: 'video',
        codec: 'avc1.64001e',
        width: 640,
        height: 360,
        framerate: 25,
        bitrate: expect.any(Number),
      },
      { name: 'audio', kind: 'audio', codec: 'mp4a.40.2', sampleRate: 48000, channels: 2 },
    ]);
    expect(catalog[0]!.priority).toBe(0);
    expect(audio[0]!.priority).toBe(1);
    // By height: 144, 240 and 360 lines have 2, 3 and 4.
    expect(video[0]!.priority).toBe(4);

    const videoTimes = decodeTimes(video);
    const audioTimes = decodeTimes(audio);
    expect(videoTimes.length).toBeGreaterThanOrEqual(100);
    expect(videoTimes.length % 25).toBe(0);
    expect(audioTimes.length).toBeGreaterThanOrEqual(180);
    expect(new Set(videoTimes.slice(1).map((time, i) => time - videoTimes[i]!))).toEqual(new Set([3600]));
    expect(new Set(audioTimes.slice(1).map((time, i) => time - audioTimes[i]!))).toEqual(new Set([1024]));
    expect(video).toHaveLength(videoTimes.length / 25);
    const numbers = new Set(video.map((group) => group.groupId));
    expect(audio.filter((group) => !numbers.has(group.groupId)).length).toBeLessThanOrEqual(1);

    await expectPlayable(video, audio);
    await until(() => harness.engine.stats().live.length === 0, 'the input is idle again');
  });

  it('refuses a wrong key before any media', async () => {
    await using harness = await startHarness();
    const { code } = await push(harness.url('sk_live_wrong'));
    expect(code).not.toBe(0);
    expect(harness.control.asked).toMatchObject([{ streamKey: 'sk_live_wrong', ingest: 'rtmp' }]);
    expect(harness.relays).toHaveLength(0);
    expect(harness.engine.stats().live).toEqual([]);
    expect(harness.log.filter((line) => line.level === 'warn')).toMatchObject([{ fields: { code: 'UNAUTHORIZED' } }]);
    expect(JSON.stringify(harness.log)).not.toContain('sk_live');
  });

  it('lets a second publisher with the right key take over, and no other', async () => {
    await using harness = await startHarness();
    const first = spawn('ffmpeg', [
      '-v',
      'error',
      '-nostdin',
      '-re',
      '-stream_loop',
      '-1',
      '-i',
      demoFile,
      '-c',
      'copy',
      '-f',
      'flv',
      harness.url(),
    ]);
    const { video } = await subscribeAll(harness);
    await until(() => video.some((group) => group.objects.length > 5), 'media of the first publisher');

    expect((await push(harness.url('sk_live_wrong'))).code).not.toBe(0);
    expect(first.exitCode).toBeNull();

    const firstGone = once(first, 'close');
    const before = Math.max(...video.map((group) => group.groupId));
    const second = push(harness.url(), '-readrate', '8');
    await firstGone;
    await second;
    await until(() => harness.engine.stats().live.length === 0, 'the second has finished');
    expect(harness.relays).toHaveLength(1);
    expect(video.filter((group) => group.groupId > before).length).toBeGreaterThanOrEqual(4);
    const times = decodeTimes(video);
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThan(0);
  });

  it('closes a connection that sends garbage, alone, with one line', async () => {
    await using harness = await startHarness({ demo: true });
    await until(() => harness.engine.stats().live.length === 1, 'the demo is live');
    const socket = connectTcp(harness.engine.rtmpPort, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    expect(harness.log.filter((line) => line.level === 'warn')).toMatchObject([
      { message: 'RTMP connection closed', fields: { code: 'PROTOCOL_VIOLATION' } },
    ]);
    expect(harness.engine.stats().live).toHaveLength(1);
  });

  it('never shows a torn object when a publisher vanishes', async () => {
    await using harness = await startHarness({ graceMs: 50 });
    const encoder = spawn('ffmpeg', [
      '-v',
      'error',
      '-nostdin',
      '-re',
      '-i',
      demoFile,
      '-c',
      'copy',
      '-f',
      'flv',
      harness.url(),
    ]);
    const { video, audio } = await subscribeAll(harness);
    await until(() => video.some((group) => group.objects.length > 5), 'media');
    encoder.kill('SIGKILL');
    await until(() => harness.engine.stats().live.length === 0, 'the input is idle');
    expect(decodeTimes(video).length).toBeGreaterThanOrEqual(5);
    decodeTimes(audio);
    expect([...video, ...audio].filter((group) => group.reset)).toEqual([]);
  });

  it('publishes again when the relay dies, while the encoder stays', async () => {
    await using harness = await startHarness({ demo: true });
    const { video } = await subscribeAll(harness);
    await until(() => video.some((group) => group.objects.length > 5), 'media');
    harness.relayDown = true;
    harness.relays[0]!.pair.drop();
    await until(() => harness.log.some((line) => line.message === 'cannot publish to the relay'), 'a failed attempt');
    harness.relayDown = false;
    const again = await subscribeAll(harness, 1);
    await until(() => again.video.some((group) => group.objects.length > 5), 'media over the second connection');
    expect(again.video[0]!.groupId).toBeGreaterThanOrEqual(video.at(-1)!.groupId);
    expect(decodeTimes(again.video)[0]).toBeGreaterThan(decodeTimes(video).at(-1)! - 2 * 90_000);
  });

  it('tells control what is live, also after control was away', async () => {
    await using harness = await startHarness({ demo: true });
    await until(() => harness.control.heartbeats.some((live) => live[0] === inputId), 'live is told');
    harness.control.down = true;
    await until(
      () => harness.log.some((line) => line.message === 'the control plane does not hear what is live'),
      'a failed heartbeat',
    );
    harness.control.down = false;
    const heard = harness.control.heartbeats.length;
    await until(() => harness.control.heartbeats.length > heard, 'a heartbeat again');
    expect(harness.control.heartbeats.at(-1)).toEqual([inputId]);
    await harness.engine.close();
    expect(harness.control.heartbeats.at(-1)).toEqual([]);
  });

  it('names the port that is in use', async () => {
    await using harness = await startHarness();
    const { RtmpServer } = await import('../../src/engine/ingest/rtmp/server.ts');
    const { silentLogger } = await import('../../src/core/log.ts');
    const never = () => Promise.reject(new Error('not asked'));
    const again = RtmpServer.listen({
      host: '127.0.0.1',
      port: harness.engine.rtmpPort,
      logger: silentLogger,
      authorise: never,
      publish: () => ({ push() {}, end() {} }),
    });
    await expect(again).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(String(harness.engine.rtmpPort)),
      hint: expect.stringContaining('--rtmp-port'),
    });
  });

  it('takes the key from where OBS and others put it', async () => {
    const { publishTarget } = await import('../../src/engine/ingest/rtmp/publish-target.ts');
    const target = { inputId, streamKey };
    for (const [app, tcUrl, name] of [
      ['live', 'rtmp://h/live', `${inputId}?sk=${streamKey}`],
      ['live', 'rtmp://h/live', `${inputId}%3Fsk%3D${streamKey}`],
      [`live?sk=${streamKey}`, 'rtmp://h/live', inputId],
      ['live/', `rtmp://h/live?sk=${streamKey}`, `/${inputId}`],
    ] as const)
      expect(publishTarget(app, tcUrl, name)).toEqual(target);
    expect(() => publishTarget('vod', '', `${inputId}?sk=x`)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(() => publishTarget('live', '', '../etc?sk=x')).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(() => publishTarget('live', '', inputId)).toThrow(expect.objectContaining({ code: 'UNAUTHORIZED' }));
  });
});
