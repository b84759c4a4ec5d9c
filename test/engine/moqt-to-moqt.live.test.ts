import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { parseFragment } from '../../src/codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../src/codec/cmaf/init-segment.ts';
import type { PublisherState, ViewerObject } from '../../src/sdk/index.ts';
import { PublishedBroadcast } from '../../src/sdk/publisher/published-broadcast.ts';
import { PublisherSession } from '../../src/sdk/publisher/publisher-session.ts';
import { establish } from '../../src/session/establish.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import { until } from './harness.ts';
import { fragmentedDemo, startMoqtStack } from './moqt-stack.ts';

const units = (objects: ViewerObject[], track: string) =>
  objects.filter((object) => object.track === track && object.objectId > 0);

/** Pieces of a stream, written about as fast as it plays. */
async function play(write: (bytes: Uint8Array) => Promise<void>, bytes: Uint8Array, size = 4096): Promise<void> {
  for (let i = 0; i < bytes.length; i += size) {
    await write(bytes.subarray(i, i + size));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('MoQT publisher in, MoQT out', () => {
  it('delivers all of an fMP4 byte stream to a viewer, with its catalog, and HLS plays it too', async () => {
    await using stack = await startMoqtStack();
    const objects: ViewerObject[] = [];
    const viewer = await stack.viewer({ onObject: (object) => objects.push(object) });
    const states: string[] = [];
    const publisher = stack.publisher({ onState: ({ name }) => states.push(name) });
    const bytes = fragmentedDemo('frag_keyframe');
    const playing = play((part) => publisher.write(part), bytes);
    await until(() => units(objects, 'video/360p').length > 5, 'pictures reach the viewer', 10_000);
    expect(viewer.catalog).toMatchObject({
      live: true,
      tracks: [
        { name: 'video/360p', codec: expect.stringMatching(/^avc1\./), width: 640 },
        { name: 'audio', codec: 'mp4a.40.2', sampleRate: 48_000 },
      ],
    });
    expect(stack.engine.stats().live).toMatchObject([{ inputId: stack.inputId, publisher: 'moqt' }]);
    const minted = await stack.control.call('POST', `/v1/live-inputs/${stack.inputId}/playback-tokens`, { body: {} });
    const hls = await fetch(`${stack.control.base}/hls/${stack.inputId}/index.m3u8?tok=${minted.body.token}`);
    expect(await hls.text()).toContain('RESOLUTION=640x360');
    await playing;
    await expect
      .poll(async () => (await fetch(`${stack.control.base}/metrics`)).text(), { timeout: 5000 })
      .toMatch(new RegExp(`streams_ingest_frames_per_second{input="${stack.inputId}"} [1-9]`));
    await publisher.finish();
    expect(await publisher.ended).toEqual({ name: 'ended', reason: 'complete' });
    expect(states).toEqual(['waiting', 'live', 'ended']);
    await until(() => stack.engine.stats().live.length === 0, 'the broadcast ends without a grace time', 2500);
    // Every frame that was published: the fixture has 60 pictures and 95 frames of sound in 2 s.
    const { fragments } = publisher.stats;
    await until(
      () => units(objects, 'video/360p').length + units(objects, 'audio').length === fragments,
      'all is there',
    );
    const times = units(objects, 'video/360p').map(
      ({ payload }) => parseFragment(payload).tracks[0]!.baseMediaDecodeTime,
    );
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(JSON.stringify(stack.log)).not.toContain('sk_live');
  });

  it('refuses a wrong key, and an input of another kind, in words and for good', async () => {
    await using stack = await startMoqtStack({ ingest: 'rtmp' });
    const wrong = await stack.publisher({ key: `${stack.streamKey}x` }).ended;
    expect(wrong).toMatchObject({ reason: 'auth_failed', error: { code: 'UNAUTHORIZED' } });
    expect(wrong.error!.message).toBe(`stream key does not open input ${stack.inputId}`);
    const other = await stack.publisher().ended;
    expect(other).toMatchObject({ reason: 'auth_failed', error: { message: 'this input takes rtmp, not moqt' } });
    await expect(stack.publisher({ key: 'sk_live_x' }).write(new Uint8Array([0]))).resolves.toBeUndefined();
  });

  it('goes on in the same broadcast after the connection was lost, and viewers stay', async () => {
    await using stack = await startMoqtStack();
    const objects: ViewerObject[] = [];
    const viewer = await stack.viewer({ onObject: (object) => objects.push(object) });
    const states: PublisherState['name'][] = [];
    const publisher = stack.publisher({ onState: ({ name }) => states.push(name) });
    const bytes = fragmentedDemo('frag_every_frame', '-stream_loop', '1');
    const playing = play((part) => publisher.write(part), bytes, 2048);
    await until(() => units(objects, 'video/360p').length > 5, 'pictures reach the viewer', 10_000);
    stack.connections[0]!.drop();
    await until(() => states.filter((name) => name === 'live').length === 2, 'it is live again', 8000);
    const before = units(objects, 'video/360p').length;
    await until(() => units(objects, 'video/360p').length > before + 5, 'pictures come again');
    expect(viewer.stats.reconnects).toBe(0);
    expect(stack.log.filter(({ message }) => message === 'input is live')).toHaveLength(1);
    await playing;
    await publisher.finish();
  });

  it('is found again by an engine that was restarted', async () => {
    await using stack = await startMoqtStack();
    const states: PublisherState['name'][] = [];
    const publisher = stack.publisher({ onState: ({ name }) => states.push(name) });
    const playing = play(
      (part) => publisher.write(part),
      fragmentedDemo('frag_every_frame', '-stream_loop', '1'),
      2048,
    );
    await until(() => (stack.engine.stats().live[0]?.units ?? 0) > 5, 'it is on air', 10_000);
    await stack.restartEngine();
    await until(() => (stack.engine.stats().live[0]?.units ?? 0) > 5, 'it is on air again', 10_000);
    expect(states).not.toContain('reconnecting');
    await playing;
    await publisher.finish();
  });

  it('lets another publisher with the right key take over, and tells the first', async () => {
    await using stack = await startMoqtStack();
    const bytes = fragmentedDemo('frag_every_frame', '-stream_loop', '1');
    const first = stack.publisher();
    const lost = expect(play((part) => first.write(part), bytes, 2048)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await until(() => (stack.engine.stats().live[0]?.units ?? 0) > 5, 'the first is on air', 10_000);
    const second = stack.publisher();
    const playing = play((part) => second.write(part), bytes, 2048);
    await lost;
    expect(await first.ended).toMatchObject({ error: { message: 'another publisher took this input over' } });
    await until(() => second.state.name === 'live', 'the second is on air');
    await playing;
    await second.finish();
    expect(stack.log.filter(({ message }) => message === 'input is live')).toHaveLength(1);
  });

  it('takes a new configuration in the middle as a new group and a new catalog', async () => {
    await using stack = await startMoqtStack();
    const objects: ViewerObject[] = [];
    const sizes: (number | undefined)[] = [];
    await stack.viewer({
      onObject: (object) => objects.push(object),
      onCatalog: ({ tracks }) => sizes.push(tracks.find(({ kind }) => kind === 'video')?.width),
    });
    const publisher = stack.publisher();
    await play((part) => publisher.write(part), fragmentedDemo('frag_every_frame'));
    await play((part) => publisher.write(part), encodedFragments('320x180'));
    await until(() => sizes.includes(320), 'the catalog tells of the new size');
    await publisher.finish();
    expect(sizes.filter((size, i) => size !== sizes[i - 1])).toEqual([640, 320]);
    const inits = objects.filter(({ track, objectId }) => track === 'video/360p' && objectId === 0);
    const widths = inits.map(({ payload }) => parseInitSegment(payload)[0]!.width);
    expect(new Set(widths)).toEqual(new Set([640, 320]));
    expect(widths).toEqual([...widths].sort((a, b) => b! - a!));
    expect(stack.log.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('lets go of a publisher whose media cannot be read, says so, and plays on with the next', async () => {
    await using stack = await startMoqtStack({ graceMs: 0 });
    const broadcast = new PublishedBroadcast(Date.now());
    const init = new Uint8Array(100).fill(0x41);
    broadcast.describe([{ description: { name: 'video', kind: 'video', codec: 'avc1.42c01e' }, init }], {
      more: false,
    });
    const pair = memoryPair({ protocol: 'moqt-18', path: `/publish/${stack.inputId}?sk=${stack.streamKey}` });
    void stack.relay.serve(pair.server);
    const { handlers } = new PublisherSession(broadcast, pair.client, (live) => {
      if (live) broadcast.fragment('video', init, { keyframe: true, seconds: 0 });
    });
    const session = await establish(pair.client, { role: 'client', handlers });
    await session.publishNamespace(['x']);
    await until(() => stack.log.some(({ message }) => message === 'MoQT publisher let go'), 'the engine lets go');
    expect(stack.log.find(({ message }) => message === 'MoQT publisher let go')!.fields).toMatchObject({
      code: 'LIMIT_EXCEEDED',
    });
    session.close(0, '');
    const status = async () => (await stack.control.call('GET', `/v1/live-inputs/${stack.inputId}/status`)).body;
    await expect
      .poll(status, { timeout: 5000 })
      .toMatchObject({ status: 'errored', error: expect.stringMatching(/a box of/) });
    const good = stack.publisher();
    await play((part) => good.write(part), fragmentedDemo('frag_every_frame'));
    await good.finish();
    expect(good.stats.reconnects).toBe(0);
  });
});

function encodedFragments(size: string): Uint8Array {
  const inputs = [`testsrc2=size=${size}:rate=30`, 'sine=frequency=440:sample_rate=48000'];
  const encode = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    '-g',
    '30',
    '-c:a',
    'aac',
    '-t',
    '2',
  ];
  const movflags = ['-movflags', 'frag_every_frame+empty_moov+default_base_moof'];
  const args = ['-v', 'error', '-nostdin', ...inputs.flatMap((input) => ['-f', 'lavfi', '-i', input])];
  return new Uint8Array(execFileSync('ffmpeg', [...args, ...encode, '-f', 'mp4', ...movflags, 'pipe:1']));
}
