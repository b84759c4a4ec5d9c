import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launchChromium } from '../helpers/chromium.ts';
import { type Encoder, largestStep, probe, startEncoder } from '../helpers/ffmpeg.ts';
import { runStreams, type Serve, startServe } from '../helpers/streams-cli.ts';

type Input = { input: { id: string; status: string }; streamKey: string; urls: { rtmp: string } };
type Playback = { url: string; watchUrl: string };

/** Waits until the page, from now on, has played `seconds` further and decoded `frames`. */
async function plays(page: Page, seconds: number, frames: number): Promise<void> {
  const start = await page.evaluate(() => {
    const video = document.querySelector('video');
    return { time: video?.currentTime ?? 0, frames: video?.getVideoPlaybackQuality().totalVideoFrames ?? 0 };
  });
  await page.waitForFunction(
    (want) => {
      const video = document.querySelector('video')!;
      // A player that rebuilt its media source counts frames from 0 again.
      const { totalVideoFrames } = video.getVideoPlaybackQuality();
      const decoded = totalVideoFrames >= want.before ? totalVideoFrames - want.before : totalVideoFrames;
      return video.currentTime > want.time && decoded >= want.frames;
    },
    { time: start.time + seconds, before: start.frames, frames },
    { timeout: 30_000, polling: 100 },
  );
}

const summaryOf = (stdout: string) => JSON.parse(stdout.trim().split('\n').at(-1)!);

describe('live, end to end: ffmpeg → RTMP → engine → relay → Chromium and `streams watch`', () => {
  let folder: string;
  let serve: Serve;
  let encoder: Encoder | undefined;
  let input: Input;
  let playback: Playback;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'streams-e2e-'));
    serve = await startServe();
    input = (await serve.json('inputs', 'create', '--name', 'show', '--ingest', 'rtmp')) as unknown as Input;
    playback = (await serve.json('playback', 'mint', input.input.id, '--ttl', '1h')) as unknown as Playback;
  });

  afterEach(async () => {
    await encoder?.stop();
    await serve.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('plays in Chromium once the encoder starts, and is recorded whole', { timeout: 90_000 }, async () => {
    const chromium = await launchChromium();
    try {
      const page = await chromium.newPage();
      await page.goto(playback.watchUrl);
      await page
        .getByText(/waiting/i)
        .first()
        .waitFor();

      encoder = startEncoder(input.urls.rtmp, { bframes: 2 });
      await plays(page, 3, 75);
      const live = (await serve.json('inputs', 'get', input.input.id)) as unknown as Input;
      expect(live.input.status).toBe('live');

      const file = join(folder, 'show.mp4');
      const watched = await runStreams(['watch', playback.url, '--json', '--duration', '5s', '--out', file], {
        env: serve.env,
      });
      expect(watched.stderr).toBe('');
      expect(watched.code).toBe(0);
      const summary = summaryOf(watched.stdout);
      expect(summary).toMatchObject({ type: 'summary', gaps: 0 });
      expect(summary.groups).toBeGreaterThanOrEqual(8);
      expect(summary.objects).toBeGreaterThan(300);
      expect(summary.joinMs).toBeGreaterThan(0);
      expect(summary.latencyMs.p50).toBeLessThan(1000);

      const probed = await probe(file);
      expect(probed.streams.map((stream) => stream.codec_name).sort()).toEqual(['aac', 'h264']);
      expect(probed.streams.find((stream) => stream.codec_type === 'video')).toMatchObject({ width: 640, height: 360 });
      const video = largestStep(probed, 'video');
      const audio = largestStep(probed, 'audio');
      expect(video.steps).toBeGreaterThan(100);
      expect(audio.steps).toBeGreaterThan(150);
      expect(video.smallest).toBeGreaterThan(0);
      expect(audio.smallest).toBeGreaterThan(0);
      expect(video.largest).toBeLessThan(0.05);
      expect(audio.largest).toBeLessThan(0.03);
    } finally {
      await chromium.close();
    }
  });

  for (const victim of ['relay', 'engine'] as const)
    it(`goes on after kill -9 of the ${victim}`, { timeout: 120_000 }, async () => {
      encoder = startEncoder(input.urls.rtmp);
      const chromium = await launchChromium();
      try {
        const page = await chromium.newPage();
        await page.goto(playback.watchUrl);
        await plays(page, 2, 50);

        const started = await serve.line(
          (line) => line.type === 'child' && line.process === victim && line.event === 'ready',
        );
        process.kill(Number(started.pid), 'SIGKILL');
        await serve.line(
          (line) =>
            line.type === 'child' && line.process === victim && line.event === 'ready' && line.pid !== started.pid,
        );
        if (victim === 'relay') {
          // By the idle timeout alone it would take 10 s to notice.
          const readyAt = performance.now();
          await page.waitForFunction(
            () => {
              const player = (
                window as unknown as { streamsPlayer: { stats(): { reconnects: number; state: string } } }
              ).streamsPlayer;
              const { reconnects, state } = player.stats();
              return reconnects > 0 && state === 'playing';
            },
            null,
            { timeout: 20_000, polling: 50 },
          );
          expect(performance.now() - readyAt).toBeLessThan(5000);
        }
        if (victim === 'engine') {
          // The encoder lost its connection with the engine: a real one dials again.
          await encoder.stop();
          encoder = startEncoder(input.urls.rtmp);
        }
        await plays(page, 3, 75);

        const watched = await runStreams(['watch', playback.url, '--json', '--duration', '2s'], { env: serve.env });
        expect(watched.code).toBe(0);
        expect(summaryOf(watched.stdout).groups).toBeGreaterThan(2);
        if (victim === 'relay') {
          // What the killed relay had open is told by the next one; who came after has all its figures.
          const sessions = async () => (await serve.json('analytics', 'sessions')).sessions;
          await expect.poll(sessions, { timeout: 15_000, interval: 500 }).toEqual(
            expect.arrayContaining([
              expect.objectContaining({ reason: 'relay_died', transport: 'webtransport' }),
              expect.objectContaining({
                startupMs: expect.any(Number),
                version: 'moqt-18',
                endedAt: expect.any(String),
              }),
            ]),
          );
        }
      } finally {
        await chromium.close();
      }
    });

  it('records across kill -9 of the relay into one file that ffprobe accepts', { timeout: 90_000 }, async () => {
    encoder = startEncoder(input.urls.rtmp);
    const file = join(folder, 'across.mp4');
    const watching = runStreams(['watch', playback.url, '--json', '--duration', '12s', '--out', file], {
      env: serve.env,
    });
    await serve.line((line) => line.type === 'log' && line.process === 'relay' && line.kind === 'playback');
    await expect
      .poll(
        () =>
          stat(file).then(
            ({ size }) => size,
            () => 0,
          ),
        { timeout: 20_000 },
      )
      .toBeGreaterThan(200_000);
    const started = await serve.line(
      (line) => line.type === 'child' && line.process === 'relay' && line.event === 'ready',
    );
    process.kill(Number(started.pid), 'SIGKILL');
    const watched = await watching;
    expect(watched.code).toBe(0);
    const probed = await probe(file);
    expect(probed.streams.map((stream) => stream.codec_name).sort()).toEqual(['aac', 'h264']);
    for (const kind of ['video', 'audio'] as const) {
      const { smallest, largest, afterLargest } = largestStep(probed, kind);
      expect(smallest).toBeGreaterThan(0);
      // One hole, as long as the relay was away, and media on both sides of it.
      expect(largest).toBeGreaterThan(0.3);
      expect(largest).toBeLessThan(15);
      expect(afterLargest).toBeGreaterThan(50);
    }
  });
});
