import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fragmentedDemo } from '../engine/moqt-stack.ts';
import { probe } from '../helpers/ffmpeg.ts';
import { finished, repoRoot, runStreams, type Serve, startServe } from '../helpers/streams-cli.ts';

type Created = { input: { id: string }; streamKey: string };

const encode = [
  ...['ffmpeg -v error -re -f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=frequency=440:sample_rate=48000'],
  ...['-c:v libx264 -preset ultrafast -tune zerolatency -pix_fmt yuv420p -g 30 -c:a aac'],
  ...['-f mp4 -movflags frag_every_frame+empty_moov+default_base_moof'],
].join(' ');

describe('ffmpeg | streams publish', () => {
  let folder: string;
  let serve: Serve;
  let input: Created;
  let keyFile: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'streams-publish-'));
    serve = await startServe();
    input = (await serve.json('inputs', 'create', '--name', 'studio', '--ingest', 'fmp4')) as unknown as Created;
    keyFile = join(folder, 'key');
    await writeFile(keyFile, input.streamKey);
  });
  afterAll(async () => {
    await serve?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('is recorded whole by a viewer, plays as HLS, and ends cleanly on Ctrl-C', { timeout: 60_000 }, async () => {
    const { id } = input.input;
    const program = `${process.execPath} ${join(repoRoot, 'bin/streams.js')} publish ${id} --key-file ${keyFile} --json`;
    const child = spawn('sh', ['-c', `${encode} pipe:1 | exec ${program}`], {
      env: { ...process.env, ...serve.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const ended = finished(child, 50_000);
    ended.catch(() => undefined);
    try {
      const { url, hlsUrl } = (await serve.json('playback', 'mint', id)) as unknown as { url: string; hlsUrl: string };
      const file = join(folder, 'take.mp4');
      const watched = await runStreams(['watch', url, '--duration', '2s', '--out', file, '--json'], { env: serve.env });
      expect(watched.code, watched.stderr).toBe(0);
      expect(JSON.parse(watched.stdout.trim().split('\n').at(-1)!)).toMatchObject({ gaps: 0 });
      const { streams, packets } = await probe(file);
      expect(streams.map(({ codec_name }) => codec_name).sort()).toEqual(['aac', 'h264']);
      expect(packets.filter(({ codec_type }) => codec_type === 'video').length).toBeGreaterThan(45);
      for (const [format, name] of [
        ['streams', 'video/360p'],
        ['msf', 'cmaf/video/360p'],
        ['hang', 'cmaf/video/360p'],
      ] as const) {
        const shown = await serve.json('inspect', 'catalog', url, '--format', format);
        expect(shown).toMatchObject({ format, catalog: { tracks: [{ name, width: 640 }, { kind: 'audio' }] } });
      }
      const inspected = await runStreams(['inspect', 'hls', hlsUrl, '--json'], { env: serve.env });
      expect(inspected.code, inspected.stdout).toBe(0);
      const status = (await serve.json('inputs', 'status', id)) as unknown as { status: string; stats: object };
      expect(status).toMatchObject({ status: 'live', stats: { publisher: 'moqt', fps: expect.any(Number) } });
    } finally {
      // As a terminal does it: to all of the pipeline.
      process.kill(-child.pid!, 'SIGINT');
    }
    const { stdout } = await ended;
    expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toMatchObject({ type: 'published', reconnects: 0 });
    const idle = async () => (await serve.json('inputs', 'status', id)).status;
    // Sooner than the grace time of a publisher that vanished.
    await expect.poll(idle, { timeout: 2500, interval: 100 }).toBe('idle');
  });

  it('says what is wrong, with the exit code of it', { timeout: 60_000 }, async () => {
    const { id } = input.input;
    const publish = (args: string[], env: NodeJS.ProcessEnv = {}) =>
      runStreams(['publish', ...args], { env: { ...serve.env, ...env } });
    const plain = join(folder, 'plain.mp4');
    await writeFile(plain, new Uint8Array(20_000).fill(0x41));
    const clip = join(folder, 'clip.mp4');
    await writeFile(clip, fragmentedDemo('frag_keyframe'));
    const wrong = await publish([id, clip], { STREAMS_STREAM_KEY: 'sk_live_wrong' });
    expect(wrong.stderr).toContain(`stream key does not open input ${id} [UNAUTHORIZED]`);
    expect(wrong.code).toBe(3);
    const garbage = await publish([id, plain, '--key-file', keyFile]);
    expect(garbage.stderr).toContain('this is no fragmented MP4');
    expect(garbage.code).toBe(1);
    expect(await publish([id, join(folder, 'nothing.mp4'), '--key-file', keyFile])).toMatchObject({ code: 5 });
    const rtmp = (await serve.json('inputs', 'create', '--name', 'r', '--ingest', 'rtmp')) as unknown as Created;
    const other = await publish([rtmp.input.id, clip], { STREAMS_STREAM_KEY: rtmp.streamKey });
    expect(other.stderr).toContain('this input takes rtmp, not moqt');
    expect(other.code).toBe(3);
    expect(wrong.stderr + garbage.stderr + other.stderr).not.toContain('sk_live');
  });
});
