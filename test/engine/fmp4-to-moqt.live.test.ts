import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { demoFile, inputId, run, startHarness, streamKey, until } from './harness.ts';
import { expectPlayable, subscribeAll } from './received.ts';

const fragmented = (...options: string[]) => [
  ...['-v', 'error', '-nostdin', ...options, '-i', demoFile, '-c', 'copy', '-f', 'mp4'],
  ...['-movflags', 'frag_every_frame+empty_moov+default_base_moof'],
];
const whole = () => new Uint8Array(execFileSync('ffmpeg', [...fragmented(), 'pipe:1'], { maxBuffer: 1 << 24 }));

type Push = { key?: string | undefined; method?: string; body?: BodyInit; path?: string };

const push = (url: string, { key = streamKey, method = 'POST', body, path = inputId }: Push) =>
  fetch(`${url}/ingest/${path}`, {
    method,
    headers: { authorization: `Bearer ${key}` },
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  } as RequestInit);

describe('fMP4 push in, MoQT out', () => {
  it('delivers all of what ffmpeg pushes by HTTP, and ffprobe accepts what arrives', async () => {
    await using harness = await startHarness();
    const url = `${harness.engine.httpUrl}/ingest/${inputId}`;
    const headers = `Authorization: Bearer ${streamKey}\r\n`;
    const done = run('ffmpeg', [...fragmented('-readrate', '4'), '-method', 'POST', '-headers', headers, url]);
    const { video, audio } = await subscribeAll(harness);
    expect(await done).toMatchObject({ code: 0 });
    await until(() => harness.engine.stats().live.length === 0, 'the broadcast ends');
    await expectPlayable(video, audio);
    expect(harness.control.asked).toMatchObject([{ streamKey, ingest: 'fmp4' }]);
  });

  it('refuses a wrong key, a wrong method and a path that is no input, before any media is read', async () => {
    await using harness = await startHarness();
    const url = harness.engine.httpUrl;
    let pulled = 0;
    const body = () =>
      new ReadableStream({
        pull(controller) {
          pulled++;
          controller.enqueue(new Uint8Array(1 << 16));
          if (pulled > 1000) controller.close();
        },
      });
    expect((await push(url, { key: 'sk_live_wrong', body: body() })).status).toBe(401);
    expect((await push(url, { method: 'DELETE' })).status).toBe(405);
    expect((await push(url, { path: '..%2fetc', body: 'x' })).status).toBe(404);
    expect(pulled).toBeLessThan(1000);
    expect(harness.engine.stats().live).toEqual([]);
    expect(JSON.stringify(harness.log)).not.toContain('sk_live');
  });

  it('answers garbage and a body that ends inside of a fragment with words', async () => {
    await using harness = await startHarness({ graceMs: 0 });
    const url = harness.engine.httpUrl;
    const bytes = whole();
    const garbage = await push(url, { body: new Uint8Array(1000).fill(0x41) });
    expect(garbage.status).toBe(413);
    const cut = await push(url, { body: bytes.slice(0, bytes.length - 100) });
    expect(cut.status).toBe(400);
    expect(await cut.json()).toMatchObject({
      error: { code: 'MALFORMED', message: expect.stringMatching(/inside of a fragment/) },
    });
    await until(() => harness.control.errored.length >= 2, 'the control plane hears of both');
    expect(harness.control.errored).toMatchObject([
      { inputId, reason: expect.stringMatching(/a box of/) },
      { inputId, reason: expect.stringMatching(/inside of a fragment/) },
    ]);
  });

  it('lets another push with the right key take over', async () => {
    await using harness = await startHarness();
    const bytes = whole();
    let feed!: ReadableStreamDefaultController<Uint8Array>;
    const endless = new ReadableStream<Uint8Array>({
      start(controller) {
        feed = controller;
        controller.enqueue(bytes.slice(0, 100_000));
      },
    });
    const first = push(harness.engine.httpUrl, { body: endless });
    await until(() => (harness.engine.stats().live[0]?.units ?? 0) > 10, 'the first push is on air');
    const second = push(harness.engine.httpUrl, { body: bytes });
    expect((await first).status).toBe(409);
    expect(await (await second).json()).toMatchObject({ units: expect.any(Number) });
    expect(harness.relays.length).toBe(1);
    feed.error(new Error('over'));
  });
});
