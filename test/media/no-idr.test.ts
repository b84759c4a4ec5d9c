import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { FlvReader } from '../../src/codec/flv/flv-reader.ts';
import type { MediaUnit } from '../../src/core/media-unit.ts';
import { Fmp4ToUnits } from '../../src/engine/ingest/fmp4/to-units.ts';
import { TsToUnits } from '../../src/engine/ingest/mpegts/to-units.ts';
import { RtmpToUnits } from '../../src/engine/ingest/rtmp/to-units.ts';
import { Packager } from '../../src/engine/package/from-units.ts';
import { startVodStack } from '../engine/vod/stack.ts';
import { ffmpeg, ofKind, packaged, packetsOfFile } from './packets.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'streams-media-'));
});
afterAll(async () => {
  vi.resetConfig();
  await rm(folder, { recursive: true, force: true });
});

const encoders = {
  'open GOP': [
    '-c:v',
    'libx264',
    '-bf',
    '2',
    '-x264-params',
    'open-gop=1:keyint=25:min-keyint=25:scenecut=0:b-adapt=0',
  ],
  'intra refresh': ['-c:v', 'libx264', '-bf', '0', '-x264-params', 'intra-refresh=1:keyint=25:scenecut=0'],
  CRA: ['-c:v', 'libx265', '-x265-params', 'open-gop=1:keyint=25:min-keyint=25:scenecut=0:log-level=none'],
} as const;

/** Four seconds of it in MPEG-TS, without the first, which alone begins with an IDR picture. */
async function withoutIdr(name: keyof typeof encoders): Promise<string> {
  const [whole, cut] = [join(folder, 'whole.ts'), join(folder, `${name.replace(' ', '-')}.ts`)];
  const picture = [
    '-f',
    'lavfi',
    '-i',
    'testsrc2=size=160x90:rate=25:duration=5',
    '-pix_fmt',
    'yuv420p',
    '-preset',
    'ultrafast',
  ];
  await ffmpeg(...picture, ...encoders[name], whole);
  await ffmpeg('-ss', '1', '-i', whole, '-c', 'copy', '-copyts', cut);
  return cut;
}

const readers: Record<string, { args: string[]; units(bytes: Uint8Array): MediaUnit[] }> = {
  ts: {
    args: [],
    units(bytes) {
      const reader = new TsToUnits();
      return [...reader.push(bytes, 0), ...reader.flush(0)];
    },
  },
  flv: {
    args: [],
    units(bytes) {
      const reader = new RtmpToUnits();
      return new FlvReader()
        .push(bytes)
        .flatMap(({ type, timestamp, body }) => (type === 'data' ? [] : (reader.unit(type, timestamp, body, 0) ?? [])));
    },
  },
  mp4: { args: ['-movflags', 'frag_keyframe+delay_moov'], units: (bytes) => new Fmp4ToUnits().push(bytes, 0) },
};

/** How many objects each group has, without its init segment. */
function groupsOf(units: readonly MediaUnit[]): number[] {
  const groups: number[] = [];
  const packager = new Packager(
    {
      beginGroup: () => void groups.push(-1),
      object: () => void groups[groups.length - 1]!++,
      catalog: () => undefined,
    },
    0,
  );
  for (const unit of units) packager.push(unit);
  packager.end();
  return groups;
}

describe.each(['open GOP', 'intra refresh', 'CRA'] as const)('a stream without IDR pictures: %s', (name) => {
  it('has a group about every second, live, however it comes', async () => {
    const source = await withoutIdr(name);
    for (const [container, { args, units }] of Object.entries(readers)) {
      // FLV has no HEVC in this ffmpeg.
      if (name === 'CRA' && container === 'flv') continue;
      const file = join(folder, `again.${container}`);
      await ffmpeg('-i', source, '-c', 'copy', ...args, file);
      const groups = groupsOf(units(await readFile(file)));
      expect({ container, groups: groups.length }).toEqual({ container, groups: 4 });
      for (const size of groups.slice(1, -1)) expect({ container, size }).toEqual({ container, size: 25 });
    }
  });
});

it('is packaged from its first recovery point on, without what cannot be decoded before it', async () => {
  await using stack = await startVodStack();
  for (const name of ['open GOP', 'intra refresh'] as const) {
    const file = await withoutIdr(name);
    const { status, error, packets } = await packaged(stack, file);
    expect({ name, status, error }).toEqual({ name, status: 'ready', error: null });
    const source = ofKind(await packetsOfFile(file), 'video');
    const first = source.find(({ flags }) => flags.includes('K'))!.pts!;
    const shown = source.filter(({ pts }) => pts! >= first).map(({ pts }) => (pts! - first).toFixed(3));
    const begin = packets[0]!.pts!;
    expect(packets.map(({ pts }) => (pts! - begin).toFixed(3))).toEqual(shown);
    expect(packets.filter(({ flags }) => flags.includes('K'))).toHaveLength(4);
  }
});
