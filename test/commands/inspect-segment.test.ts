import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectSegment } from '../../commands/inspect/segment/report.ts';
import { commandLine } from './command-line.ts';

let folder: string;
const path = (name: string) => join(folder, name);
const bytesOf = (name: string) => new Uint8Array(readFileSync(path(name)));

function ffmpeg(...args: string[]): void {
  const { status, stderr } = spawnSync('ffmpeg', ['-hide_banner', '-loglevel', 'error', '-y', ...args], {
    cwd: folder,
  });
  if (status !== 0) throw new Error(`this test needs ffmpeg: ${stderr}`);
}

const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25'];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'streams-segment-'));
  const tone = ['-f', 'lavfi', '-i', 'sine=440:sample_rate=48000'];
  const codecs = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-g',
    '25',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
    '-ac',
    '2',
  ];
  ffmpeg(
    ...picture,
    ...tone,
    '-t',
    '4',
    ...codecs,
    '-movflags',
    'frag_keyframe+empty_moov+default_base_moof',
    'frag.mp4',
  );
  ffmpeg('-i', 'frag.mp4', '-c', 'copy', 'flat.mp4');
  ffmpeg('-i', 'frag.mp4', '-c', 'copy', '-f', 'hls', '-hls_segment_type', 'fmp4', '-hls_time', '2', 'list.m3u8');
  ffmpeg('-i', 'frag.mp4', '-c', 'copy', '-t', '1', 'show.ts');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `bytes` with one big-endian 32-bit number changed. */
function patched(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const out = bytes.slice();
  new DataView(out.buffer).setUint32(at, value);
  return out;
}

describe('inspect segment', () => {
  it('tells tracks, fragments and boxes of a fragmented file as ffmpeg made it', async () => {
    const { code, lines, stderr } = await commandLine(['inspect', 'segment', path('frag.mp4'), '--json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = lines()[0]!;
    expect(report).toMatchObject({
      version: 1,
      type: 'segment',
      problems: [],
      warnings: [],
      tracks: [
        {
          trackId: 1,
          kind: 'video',
          codec: expect.stringMatching(/^avc1\.42c0/),
          width: 160,
          samples: 100,
          keyframes: 4,
        },
        { trackId: 2, kind: 'audio', codec: 'mp4a.40.2', sampleRate: 48_000, channels: 2 },
      ],
    });
    expect((report.fragments as unknown[]).length).toBe(4);
    const moov = (report.boxes as { type: string; boxes?: { type: string }[] }[])[1]!;
    expect(moov.type).toBe('moov');
    expect(moov.boxes!.map(({ type }) => type)).toEqual(['mvhd', 'trak', 'trak', 'mvex', 'udta']);

    const human = await commandLine(['inspect', 'segment', path('frag.mp4')]);
    expect(human.stdout).toMatch(/^ {4}tfdt +\d+ +20 {2}decode time 0$/m);
    expect(human.stdout).toMatch(/^1 +video +avc1\.42c0\w\w +160×90 +12800 +100 +4 +4\.\d{3} s/m);
  });

  it('reads a media segment with its init segment, and says when it is missing', async () => {
    const alone = await commandLine(['inspect', 'segment', path('list1.m4s')]);
    expect(alone.code).toBe(0);
    expect(alone.stderr).toContain('no init segment here: give it with --init');
    const both = await commandLine(['inspect', 'segment', path('list1.m4s'), '--init', path('init.mp4'), '--json']);
    expect(both.lines()[0]).toMatchObject({ warnings: [], tracks: [{ samples: 50 }, { codec: 'mp4a.40.2' }] });
  });

  it('says what MSE and HLS refuse of a file that is not fragmented', async () => {
    const { code, stdout, stderr } = await commandLine(['inspect', 'segment', path('flat.mp4')]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^1 +video +avc1\.\w+ +160×90 +12800 +100 +4 /m);
    expect(stderr).toMatch(/^! MSE, HLS: the moov has no mvex/);
  });

  it.each([
    [
      'hvc1',
      ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none', '-tag:v', 'hvc1'],
      /^hvc1\.1\.6\.L\d+\.90$/,
    ],
    ['vp09', ['-c:v', 'libvpx-vp9'], /^vp09\.00\.\d\d\.08$/],
    ['av01', ['-c:v', 'libaom-av1', '-cpu-used', '8'], /^av01\.0\.00M\.08$/],
  ])('writes the codec string of %s', (entry, codec, expected) => {
    ffmpeg(...picture, '-frames:v', '3', '-pix_fmt', 'yuv420p', ...codec, `${entry}.mp4`);
    expect(inspectSegment(bytesOf(`${entry}.mp4`)).tracks[0]).toMatchObject({
      entry,
      codec: expect.stringMatching(expected),
    });
  });

  it('says where a file is truncated, and fails', async () => {
    writeFileSync(path('cut.mp4'), bytesOf('frag.mp4').subarray(0, 20_000));
    const { code, stdout, stderr } = await commandLine(['inspect', 'segment', path('cut.mp4')]);
    expect(code).toBe(1);
    expect(stdout).toContain('moof');
    expect(stderr).toMatch(/at byte \d+: truncated: mdat has \d+ bytes, the file ends after \d+ of them/);
    expect(stderr).toMatch(/at byte \d+: track 1: \d+ of 25 samples are cut off/);
  });

  it('never throws, wherever the file ends', () => {
    const file = bytesOf('frag.mp4');
    const whole = new Set(inspectSegment(file).boxes.map(({ start }) => start));
    for (let end = 1; end < 3000; end += 7) {
      const { problems } = inspectSegment(file.subarray(0, end));
      if (!whole.has(end)) expect(problems.length, `ends at ${end}`).toBeGreaterThan(0);
    }
  });

  it('says where a file lies', () => {
    const file = bytesOf('frag.mp4');
    const { boxes, fragments } = inspectSegment(file);
    const moof = boxes.find(({ type }) => type === 'moof')!;
    const traf = moof.children[1]!;
    const messages = (bytes: Uint8Array) => inspectSegment(bytes).problems.map(({ message }) => message);
    expect(messages(patched(file, traf.start, 5000))).toContainEqual(
      expect.stringMatching(/^traf says it has 5000 bytes, but moof around it has \d+ left$/),
    );
    expect(messages(patched(file, traf.start, 3))).toContain('traf says it has 3 bytes');
    // The first NAL unit of the first sample.
    expect(messages(patched(file, fragments[0]!.runs[0]!.samples[0]!.at, 1 << 20))).toContain(
      'track 1: NAL lengths of 1 samples do not add up to the sample',
    );
    const trun = traf.children.find(({ type }) => type === 'trun')!;
    expect(messages(patched(file, trun.start + 12, 0xffffffff))).toContainEqual(
      expect.stringMatching(/^moof: a trun with 4294967295/),
    );
    expect(messages(patched(file, trun.start + 16, 4_000_000))).toContain('track 1: 25 of 25 samples are cut off');
  });

  it('warns of holes and overlaps between fragments', () => {
    const file = bytesOf('frag.mp4');
    const moof = inspectSegment(file).boxes.filter(({ type }) => type === 'moof')[2]!;
    const tfdt = moof.children[1]!.children.find(({ type }) => type === 'tfdt')!;
    const warned = (low: number) => inspectSegment(patched(file, tfdt.start + 16, low)).warnings;
    expect(warned(1)).toContainEqual(expect.stringMatching(/^MSE: track 1 overlaps/));
    expect(warned(1_000_000)).toContainEqual(expect.stringMatching(/^MSE: track 1 has a hole/));
  });

  it('fetches a URL without telling its secrets, and knows what is no MP4', async () => {
    const server = createServer((request, response) => {
      if (request.url!.startsWith('/init.mp4')) response.end(bytesOf('init.mp4'));
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const found = await commandLine(['inspect', 'segment', `${base}/init.mp4?tok=secret`, '--json']);
      expect(found.lines()[0]).toMatchObject({ tracks: [{ codec: expect.any(String) }, {}] });
      const missing = await commandLine(['inspect', 'segment', `${base}/none.mp4?tok=secret`]);
      expect(missing.code).toBe(5);
      expect(missing.stderr).toContain('/none.mp4 answered 404');
      expect(missing.stderr).not.toContain('secret');
    } finally {
      server.close();
    }
    expect((await commandLine(['inspect', 'segment', path('show.ts')])).stderr).toContain('an MPEG transport stream');
    expect((await commandLine(['inspect', 'segment', path('list.m3u8')])).stderr).toContain('an HLS playlist');
    expect((await commandLine(['inspect', 'segment', path('nothing.mp4')])).code).toBe(5);
  });
});
