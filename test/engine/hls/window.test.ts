import { describe, expect, it } from 'vitest';
import { parseMediaPlaylist } from '../../../src/codec/hls/parse-playlist.ts';
import type { MediaPlaylist } from '../../../src/codec/hls/playlist.ts';
import { mediaPlaylistProblems, updateProblems } from '../../../src/codec/hls/validate-playlist.ts';
import { bytesEqual, fromHex } from '../../../src/core/bytes.ts';
import { Broadcast } from '../../../src/engine/broadcast.ts';
import { mediaPlaylist } from '../../../src/engine/hls/playlists.ts';
import { checkAhead, isReached, readDirectives } from '../../../src/engine/hls/reload.ts';
import { HlsWindow } from '../../../src/engine/hls/window.ts';
import { HlsWindows } from '../../../src/engine/hls/windows.ts';
import { until } from '../harness.ts';

const small = fromHex('0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b0fdf8f800');
/** The same with another picture parameter set: another configuration of the same size. */
const other = fromHex('0164001effe1001a6764001eacd980a02ff97011000003000100000300320f162d9a01000668e97892c8b1fdf8f800');
const startedAt = 1_795_000_000_000;

type SourceOptions = { gopMs: number; config: Uint8Array; arrivedAt: number; audioConfig: string; bytes: number };

/** A publisher with 25 frames a second and AAC at 48 kHz, on its own clock. */
class Source {
  readonly #broadcast: Broadcast;
  readonly #options: SourceOptions;
  #ms = 0;
  #frame = 0;

  constructor(broadcast: Broadcast, options: Partial<SourceOptions> = {}) {
    this.#broadcast = broadcast;
    this.#options = { gopMs: 1000, config: small, arrivedAt: startedAt, audioConfig: '1190', bytes: 100, ...options };
  }

  play(ms: number, after?: () => void): void {
    const { gopMs, config, arrivedAt, audioConfig, bytes } = this.#options;
    for (const end = this.#ms + ms; this.#ms < end; this.#ms += 40) {
      const keyframe = this.#ms % gopMs === 0;
      const [dts, data] = [this.#ms * 90, new Uint8Array(bytes)];
      this.#broadcast.push({
        ...{ kind: 'video', codec: 'h264', timescale: 90_000, dts, pts: dts, keyframe, data },
        arrivedAt: arrivedAt + this.#ms,
        ...(this.#ms === 0 ? { config } : {}),
      });
      for (; this.#frame * 1024 < (this.#ms + 40) * 48; this.#frame++) {
        const at = this.#frame * 1024;
        this.#broadcast.push({
          ...{ kind: 'audio', codec: 'aac', timescale: 48_000, dts: at, pts: at, duration: 1024 },
          data: fromHex('2100'),
          arrivedAt: arrivedAt + at / 48,
          ...(this.#frame === 0 ? { config: fromHex(audioConfig) } : {}),
        });
      }
      after?.();
    }
  }
}

function start(options: ConstructorParameters<typeof Source>[1] = {}, limits = { seconds: 12, bytes: 64 << 20 }) {
  const broadcast = new Broadcast(startedAt);
  const source = new Source(broadcast, options);
  source.play(1000);
  const window = new HlsWindow(broadcast, limits, 0);
  const names = () => [...window.renditions.keys()];
  const read = (name: string, skip = false): MediaPlaylist =>
    parseMediaPlaylist(mediaPlaylist(window, window.renditions.get(name)!, '?tok=t', { skip, allowed: () => true }));
  return { broadcast, source, window, names, read, video: () => names().find((name) => name.startsWith('video'))! };
}

/** Reads every playlist after every frame while `act` runs: each by itself, and against the one before. */
function watching(made: ReturnType<typeof start>) {
  const last = new Map<string, MediaPlaylist>();
  const problems: string[] = [];
  return {
    problems,
    look: () => {
      if (!made.window.ready()) return;
      for (const name of made.names()) {
        const now = made.read(name);
        problems.push(...mediaPlaylistProblems(now).map((problem) => `${name} ${problem}`));
        const before = last.get(name);
        if (before !== undefined) problems.push(...updateProblems(before, now).map((problem) => `${name} ${problem}`));
        last.set(name, now);
      }
    },
  };
}

describe('HLS window', () => {
  it.each([
    ['of a second', 1000, 1],
    ['of two seconds', 2000, 2],
    ['of less than half a second, together', 400, 1.2],
  ])('makes segments of groups %s', (_, gopMs, seconds) => {
    const made = start({ gopMs });
    const { problems, look } = watching(made);
    made.source.play(20_000, look);
    expect(problems).toEqual([]);
    const durations = made.read(made.video()).segments.map(({ duration }) => duration);
    expect(durations.length).toBeGreaterThanOrEqual(6);
    expect(new Set(durations)).toEqual(new Set([seconds]));
    for (const name of made.names()) expect(made.read(name).independentSegments, name).toBe(true);
  });

  it('cuts groups that are longer than the target, and says where players may begin', () => {
    const made = start({ gopMs: 8000 });
    const { problems, look } = watching(made);
    made.source.play(20_000, look);
    expect(problems).toEqual([]);
    const { segments, tail } = made.read(made.video());
    const parts = [...segments.slice(-3), ...(tail === undefined ? [] : [tail])].flatMap((segment) => segment.parts);
    expect(parts.length).toBeGreaterThan(20);
    expect(parts.filter(({ independent }) => independent).length).toBeLessThanOrEqual(1);
    expect(made.read(made.video()).independentSegments).toBeUndefined();
    expect(made.read('audio').independentSegments).toBe(true);
  });

  it('consists of the very objects of the groups', () => {
    const made = start();
    const { broadcast, window } = made;
    const sent: Uint8Array[] = [];
    broadcast.find(made.video(), (track) =>
      track!.follow({ group() {}, object: (group) => sent.push(group.objects.at(-1)!), end() {} }),
    );
    made.source.play(3000);
    const rendition = window.renditions.get(made.video())!;
    const held = rendition.segments.flatMap(({ parts }) => parts).flatMap(({ objects }) => objects);
    expect(held.filter((object) => sent.includes(object)).length).toBeGreaterThan(45);
    const init = rendition.init(rendition.segments[0]!.map.number)!;
    expect(sent.some((object) => bytesEqual(object, init.bytes))).toBe(true);
  });

  it.each([
    ['another video configuration', { config: other }],
    ['another audio configuration', { audioConfig: '1188' }],
    ['both', { config: other, audioConfig: '1188' }],
    ['the same configuration', {}],
  ])('marks a new publisher with %s in every rendition alike', (_, options) => {
    const made = start();
    const { problems, look } = watching(made);
    made.source.play(3000, look);
    made.broadcast.restart();
    // It was away for two seconds and a half, and comes with its own clock.
    const back = startedAt + 6500;
    new Source(made.broadcast, { ...options, arrivedAt: back }).play(4000, look);
    expect(problems).toEqual([]);
    for (const name of made.names()) {
      const { segments } = made.read(name);
      const marked = segments.filter(({ discontinuity }) => discontinuity);
      expect(marked, name).toHaveLength(1);
      expect(Math.abs(marked[0]!.programDateTime! - back), name).toBeLessThan(100);
      const changed = name.startsWith('video') ? 'config' in options : 'audioConfig' in options;
      expect(segments.filter(({ map }) => map !== undefined).length, name).toBe(changed ? 2 : 1);
    }
  });

  it('counts the discontinuities that leave, and leaves out what a client has', () => {
    const made = start();
    const { problems, look } = watching(made);
    made.source.play(2000, look);
    made.broadcast.restart();
    new Source(made.broadcast, { arrivedAt: startedAt + 4000 }).play(30_000, look);
    expect(problems).toEqual([]);
    for (const name of made.names()) expect(made.read(name).discontinuitySequence).toBe(1);
    const whole = made.read(made.video());
    const delta = made.read(made.video(), true);
    expect(whole.segments.length - delta.segments.length).toBe(delta.skippedSegments);
  });

  it('holds no more than it may', () => {
    const limits = { seconds: 3600, bytes: 1 << 20 };
    const made = start({ bytes: 4000 }, limits);
    const { problems, look } = watching(made);
    made.source.play(40_000, look);
    expect(problems).toEqual([]);
    const { segments } = made.window.renditions.get(made.video())!;
    const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
    expect(bytes).toBeLessThanOrEqual(limits.bytes);
    expect(bytes).toBeGreaterThan(limits.bytes / 2);
  });

  it('ends with the broadcast', () => {
    const made = start();
    made.source.play(2500);
    made.broadcast.end();
    for (const name of made.names()) {
      const playlist = made.read(name);
      expect(mediaPlaylistProblems(playlist)).toEqual([]);
      expect(playlist).toMatchObject({ ended: true, preloadHint: undefined });
    }
  });
});

describe('blocking reload', () => {
  it('knows what is there, what comes next, and what is too far ahead', () => {
    const made = start();
    made.source.play(1400);
    const rendition = made.window.renditions.get(made.video())!;
    const open = rendition.open!.msn;
    const parts = rendition.openParts.length;
    expect(parts).toBeGreaterThan(0);
    const reached = (query: string) => isReached(rendition, readDirectives(new URLSearchParams(query)));
    expect(reached('')).toBe(true);
    expect(reached(`_HLS_msn=${open - 1}`)).toBe(true);
    expect(reached(`_HLS_msn=${open}`)).toBe(false);
    expect(reached(`_HLS_msn=${open}&_HLS_part=${parts - 1}`)).toBe(true);
    expect(reached(`_HLS_msn=${open}&_HLS_part=${parts}`)).toBe(false);
    // A part beyond the last of a whole segment stands for the first of the next.
    expect(reached(`_HLS_msn=${open - 1}&_HLS_part=99`)).toBe(true);
    const ahead = (query: string) => () =>
      checkAhead(rendition, readDirectives(new URLSearchParams(query)), made.window.partTarget);
    expect(ahead(`_HLS_msn=${open + 1}`)).not.toThrow();
    for (const query of [`_HLS_msn=${open + 2}`, `_HLS_msn=${open}&_HLS_part=${parts + 40}`])
      expect(ahead(query)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    for (const query of ['_HLS_part=1', '_HLS_msn=-1', '_HLS_msn=x', '_HLS_skip=NO'])
      expect(() => readDirectives(new URLSearchParams(query)), query).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
  });

  it('waits until the part is there, and no longer than it may', async () => {
    const made = start();
    const rendition = made.window.renditions.get(made.video())!;
    made.source.play(1000);
    const { signal } = new AbortController();
    const number = rendition.hintedPart;
    const waiting = made.window.until(() => rendition.hintedPart !== number, 5000, signal);
    made.source.play(240);
    expect(await waiting).toBe(true);
    expect(await made.window.until(() => false, 20, signal)).toBe(false);
    expect(await made.window.until(() => false, 5000, AbortSignal.abort())).toBe(false);
  });
});

describe('windows', () => {
  it('follow a broadcast only while its playlists are asked for, and number on afterwards', async () => {
    const broadcast = new Broadcast(startedAt);
    const source = new Source(broadcast);
    source.play(2000);
    const name = broadcast.catalog!.tracks[0]!.name;
    let followers = () => 0;
    broadcast.find(name, (track) => {
      followers = () => track!.followers;
    });
    const windows = new HlsWindows({ live: () => broadcast, idleMs: 40 });
    expect(followers()).toBe(0);
    const first = windows.ask('lv_1', '')!;
    expect(followers()).toBe(1);
    source.play(1000);
    const last = first.nextMsn;
    await until(() => windows.size === 0, 'nobody asks');
    expect(followers()).toBe(0);
    const again = windows.ask('lv_1', '')!;
    expect(again).not.toBe(first);
    expect(again.nextMsn).toBeGreaterThanOrEqual(last);
    windows.close();
    expect(followers()).toBe(0);
  });

  it('go back as far as asked for', () => {
    const broadcast = new Broadcast(startedAt);
    const source = new Source(broadcast);
    source.play(1000);
    const windows = new HlsWindows({ live: () => broadcast, seconds: 30 });
    const window = windows.ask('lv_1', '')!;
    source.play(70_000);
    for (const { listed, segments } of window.renditions.values()) {
      const seconds = listed.reduce((sum, { duration }) => sum + duration, 0);
      expect(seconds).toBeGreaterThanOrEqual(30);
      expect(seconds).toBeLessThan(32);
      expect(segments.length).toBeLessThan(64);
    }
    windows.close();
  });

  it('tell players that are there of the end, and nobody else', () => {
    const broadcast = new Broadcast(startedAt);
    new Source(broadcast).play(2000);
    let live: Broadcast | undefined = broadcast;
    const windows = new HlsWindows({ live: () => live });
    const window = windows.ask('lv_1', '')!;
    broadcast.end();
    live = undefined;
    expect(windows.ask('lv_1', 'video/360p')).toBe(window);
    expect(windows.ask('lv_1', '')).toBeUndefined();
    live = new Broadcast(startedAt + 10_000);
    expect(windows.ask('lv_1', 'video/360p')).not.toBe(window);
    windows.close();
  });
});
