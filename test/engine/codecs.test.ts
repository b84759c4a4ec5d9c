import { execFileSync } from 'node:child_process';
import { createFile, MP4BoxBuffer } from 'mp4box';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Catalog } from '../../src/codec/catalog/streams-catalog.ts';
import { mergeInits } from '../../src/codec/cmaf/merge-inits.ts';
import { retimeFragment } from '../../src/codec/cmaf/retime.ts';
import { ByteWriter, concat, utf8 } from '../../src/core/bytes.ts';
import type { AudioUnit, MediaUnit, VideoUnit } from '../../src/core/media-unit.ts';
import { Fmp4ToUnits } from '../../src/engine/ingest/fmp4/to-units.ts';
import { TsToUnits } from '../../src/engine/ingest/mpegts/to-units.ts';
import { RtmpToUnits } from '../../src/engine/ingest/rtmp/to-units.ts';
import { Packager } from '../../src/engine/package/from-units.ts';
import { expectAccepted } from './decodes.ts';

const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=322x182:rate=25'];
const sound = ['-f', 'lavfi', '-i', 'sine=r=48000'];
const fragments = ['-f', 'mp4', '-movflags', 'frag_every_frame+empty_moov+default_base_moof', 'pipe:1'];

/** Bytes of a real encoder: 1.2 seconds. */
const encode = (...options: string[]) =>
  new Uint8Array(
    execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...options.slice(0, -1), ...options.at(-1)!.split(' ')], {
      maxBuffer: 1 << 26,
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  );
const coded = (encoder: string, more: string[] = []) => [
  ...picture,
  '-t',
  '1.2',
  '-pix_fmt',
  'yuv420p',
  '-c:v',
  encoder,
  ...more,
];
const x265 = coded('libx265', ['-preset', 'ultrafast', '-g', '10', '-bf', '2', '-x265-params', 'log-level=none']);
const svtav1 = coded('libsvtav1', ['-preset', '12', '-g', '10']);
const vp9 = coded('libvpx-vp9', ['-deadline', 'realtime', '-cpu-used', '8', '-g', '10']);
const x264 = coded('libx264', ['-preset', 'ultrafast', '-g', '10', '-bf', '2']);
const opus = [...sound, '-t', '1.2', '-c:a', 'libopus'];

const fmp4 = (options: string[]) => {
  const made = new Fmp4ToUnits();
  const bytes = encode(...options, fragments.join(' '));
  return { bytes, units: made.push(bytes, 0) };
};

/** What the packager makes of units, as one file from time 0, and its last catalog. */
function pack(units: readonly MediaUnit[]): { file: Uint8Array; catalog: Catalog } {
  const inits = new Map<string, Uint8Array>();
  const pieces: { track: string; bytes: Uint8Array }[] = [];
  let begins = new Set<string>();
  const packager = new Packager(
    {
      beginGroup: (track) => begins.add(track),
      object: (track, bytes) => {
        if (begins.has(track)) inits.set(track, inits.get(track) ?? bytes);
        else pieces.push({ track, bytes });
        begins = new Set([...begins].filter((name) => name !== track));
      },
      catalog: () => undefined,
    },
    0,
  );
  for (const unit of units) packager.push(unit);
  const names = [...inits.keys()];
  const { bytes, trackIds } = mergeInits([...inits.values()]);
  const moved = pieces.map((piece) => retimeFragment(piece.bytes, { trackId: trackIds[names.indexOf(piece.track)]! }));
  return { file: concat([bytes, ...moved]), catalog: packager.catalog };
}

const accepted = (file: Uint8Array) =>
  expectAccepted(file, 'stream=codec_name,width,height,channels,nb_read_packets:format=duration');

/** RFC 6381 strings as another program reads them from the sample entries. */
function codecsOf(file: Uint8Array): string[] {
  const iso = createFile();
  iso.appendBuffer(MP4BoxBuffer.fromArrayBuffer(file.slice().buffer, 0));
  return iso.getInfo().tracks.map((track) => track.codec);
}

/** As an encoder with Enhanced RTMP sends them (v2, "ExVideoTagHeader" and "ExAudioTagHeader"); times in ms. */
function enhancedRtmp(units: readonly MediaUnit[]): { kind: 'video' | 'audio'; timestamp: number; body: Uint8Array }[] {
  const fourCcs = { h264: 'avc1', hevc: 'hvc1', av1: 'av01', vp9: 'vp09', vp8: 'vp08', aac: 'mp4a', opus: 'Opus' };
  return units.flatMap((unit) => {
    const timestamp = Math.round((unit.dts * 1000) / unit.timescale) >>> 0;
    const fourCc = utf8(fourCcs[unit.codec]);
    const head = (type: number) => {
      const frame = unit.kind === 'audio' ? 9 : unit.keyframe ? 9 : 10;
      return new ByteWriter().u8((frame << 4) | type).bytes(fourCc);
    };
    const config = unit.config === undefined ? [] : [head(0).bytes(unit.config).finish()];
    const writer = head(1);
    if (unit.codec === 'h264' || unit.codec === 'hevc')
      writer.u24(Math.round(((unit.pts - unit.dts) * 1000) / unit.timescale) & 0xffffff);
    return [...config, writer.bytes(unit.data).finish()].map((body) => ({ kind: unit.kind, timestamp, body }));
  });
}

const fromEnhancedRtmp = (messages: ReturnType<typeof enhancedRtmp>) => {
  const made = new RtmpToUnits();
  return messages.flatMap(({ kind, timestamp, body }) => made.unit(kind, timestamp, body, 0) ?? []);
};

describe.each([
  { name: 'HEVC', options: x265, codec: 'hevc', string: /^hvc1\.1\.6\.L\d+\.\w+/ },
  { name: 'AV1', options: svtav1, codec: 'av1', string: /^av01\.0\.\d\dM\.08$/ },
  { name: 'VP9', options: vp9, codec: 'vp9', string: /^vp09\.00\.\d\d\.08$/ },
  { name: 'H.264 with B-frames', options: x264, codec: 'h264', string: /^avc1\.4d/ },
])('$name', ({ options, codec, string }) => {
  let sent: { bytes: Uint8Array; units: MediaUnit[] };
  let units: VideoUnit[];
  beforeAll(() => {
    sent = fmp4(options);
    units = sent.units.filter((unit) => unit.kind === 'video');
  });

  it('goes through from fMP4 to what players take', async () => {
    const { file, catalog } = pack(units);
    expect(catalog.tracks).toMatchObject([
      { kind: 'video', codec: expect.stringMatching(string), width: 322, height: 182 },
    ]);
    // What the sender's own sample entry says, read by another program.
    const said = (text: string) => text.toLowerCase().replace('hev1', 'hvc1').split('.').slice(0, 4);
    expect(codecsOf(file).map(said)).toEqual([said(catalog.tracks[0]!.codec)]);
    expect(codecsOf(sent.bytes).map(said)).toEqual(codecsOf(file).map(said));
    const probe = await accepted(file);
    expect(probe.streams).toMatchObject([{ codec_name: codec, width: 322, height: 182, nb_read_packets: '30' }]);
    expect(Number(probe.format.duration)).toBeCloseTo(1.2, 1);
    expect(units.filter((unit) => unit.keyframe).length).toBeGreaterThanOrEqual(3);
  });

  it('comes the same by Enhanced RTMP', async () => {
    const received = fromEnhancedRtmp(enhancedRtmp(units)) as VideoUnit[];
    expect(received.map(({ keyframe, data }) => [keyframe, data.length])).toEqual(
      units.map(({ keyframe, data }) => [keyframe, data.length]),
    );
    expect(received.map(({ data }) => data)).toEqual(units.map(({ data }) => data));
    expect(received[0]!.config).toEqual(units[0]!.config);
    const probe = await accepted(pack(received).file);
    expect(probe.streams).toMatchObject([{ codec_name: codec, width: 322, height: 182, nb_read_packets: '30' }]);
  });

  it('is refused in words when its configuration is damaged', () => {
    const messages = enhancedRtmp(units);
    for (const cut of [5, 6, 7]) {
      const torn = messages.map((message, i) =>
        i === 0 ? { ...message, body: message.body.subarray(0, cut) } : message,
      );
      expect(() => fromEnhancedRtmp(torn)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
    }
  });
});

it('negative composition offsets stay, so that B-frames are shown in their places', async () => {
  const made = new Fmp4ToUnits();
  const units = made.push(
    encode(...x264, fragments.join(' ').replace('empty_moov', 'empty_moov+negative_cts_offsets')),
    0,
  );
  expect(Math.min(...units.map((unit) => unit.pts - unit.dts))).toBeLessThan(0);
  const shown = units.map((unit) => unit.pts).sort((a, b) => a - b);
  expect(new Set(shown.slice(1).map((pts, i) => pts - shown[i]!)).size).toBe(1);
  const received = fromEnhancedRtmp(enhancedRtmp(units));
  const again = received.map((unit) => unit.pts).sort((a, b) => a - b);
  expect(new Set(again.slice(1).map((pts, i) => pts - again[i]!))).toEqual(new Set([3600]));
  expect((await accepted(pack(units).file)).streams).toMatchObject([{ codec_name: 'h264', nb_read_packets: '30' }]);
});

describe('Opus', () => {
  it('goes through from fMP4, and comes the same by Enhanced RTMP', async () => {
    const { units, bytes } = fmp4(opus);
    const { file, catalog } = pack(units);
    expect(catalog.tracks).toMatchObject([{ kind: 'audio', codec: 'opus', sampleRate: 48_000, channels: 1 }]);
    expect(codecsOf(file).map((codec) => codec.toLowerCase())).toEqual(['opus']);
    const counted = String(units.length);
    expect((await accepted(file)).streams).toMatchObject([
      { codec_name: 'opus', channels: 1, nb_read_packets: counted },
    ]);
    const received = fromEnhancedRtmp(enhancedRtmp(units)) as AudioUnit[];
    expect(received.map((unit) => [unit.dts, unit.duration, unit.data])).toEqual(
      (units as AudioUnit[]).map((unit) => [unit.dts, unit.duration, unit.data]),
    );
    expect(bytes.length).toBeGreaterThan(0);
  });

  it('of six channels keeps its layout', async () => {
    const surround = [...sound, '-t', '0.4', '-af', 'pan=5.1|c0=c0|c1=c0|c2=c0|c3=c0|c4=c0|c5=c0', '-c:a', 'libopus'];
    const { units } = fmp4([...surround, '-mapping_family', '1']);
    const { file, catalog } = pack(units);
    expect(catalog.tracks).toMatchObject([{ codec: 'opus', channels: 6 }]);
    expect((await accepted(file)).streams).toMatchObject([{ codec_name: 'opus', channels: 6 }]);
  });
});

describe('MPEG-TS', () => {
  it.each([
    ['HEVC and Opus', [...sound, ...x265, '-c:a', 'libopus', '-ac', '2'], ['hevc', 'opus']],
    ['HEVC and AAC', [...sound, ...x265, '-c:a', 'aac'], ['hevc', 'aac']],
    ['Opus alone', opus, ['opus']],
  ])('brings %s of real encoders to what players take', async (_, options, codecs) => {
    const made = new TsToUnits();
    const units = [...made.push(encode(...options, '-f mpegts pipe:1'), 0), ...made.flush(0)];
    const { file, catalog } = pack(units);
    const found = await accepted(file);
    expect(found.streams.map((stream) => stream.codec_name).sort()).toEqual([...codecs].sort());
    expect(catalog.tracks.map((track) => track.codec.split('.')[0]).sort()).toEqual(
      codecs.map((codec) => ({ hevc: 'hvc1', opus: 'opus', aac: 'mp4a' })[codec]!).sort(),
    );
    for (const stream of found.streams)
      expect(Number(stream.nb_read_packets)).toBe(units.filter((unit) => unit.codec === stream.codec_name).length);
    const video = units.filter((unit) => unit.kind === 'video');
    if (codecs.includes('hevc')) expect(video).toHaveLength(30);
    expect(Number(found.format.duration)).toBeGreaterThan(1.1);
  });
});
