import { describe, expect, it } from 'vitest';
import { parseMediaPlaylist, parseMultivariantPlaylist } from '../../../src/codec/hls/parse-playlist.ts';
import type { MediaPlaylist, MultivariantPlaylist } from '../../../src/codec/hls/playlist.ts';
import { mediaPlaylistProblems, merge, updateProblems } from '../../../src/codec/hls/validate-playlist.ts';
import { writeMediaPlaylist, writeMultivariantPlaylist } from '../../../src/codec/hls/write-playlist.ts';

const part = (uri: string, independent = false, duration = 0.2) => ({ uri, duration, independent });
const segment = (uri: string, more: Partial<MediaPlaylist['segments'][number]> = {}) => ({
  discontinuity: false,
  map: undefined,
  programDateTime: undefined,
  parts: [],
  uri,
  duration: 1,
  ...more,
});
const at = Date.UTC(2026, 10, 20, 12, 0, 0, 250);
const live: MediaPlaylist = {
  version: 9,
  targetDuration: 2,
  mediaSequence: 7,
  discontinuitySequence: 0,
  partTarget: 0.21,
  serverControl: { canBlockReload: true, canSkipUntil: 12, holdBack: 6, partHoldBack: 0.63 },
  skippedSegments: 0,
  segments: [
    segment('s7?tok=a', { map: 'init-1?tok=a', programDateTime: at }),
    segment('s8', {
      discontinuity: true,
      map: 'init-2',
      programDateTime: at + 1000,
      duration: 0.6,
      parts: [part('p0', true), part('p1'), part('p2')],
    }),
  ],
  tail: { discontinuity: false, map: undefined, programDateTime: at + 1600, parts: [part('p3', true)] },
  preloadHint: 'p4',
  renditionReports: [{ uri: '../audio/index.m3u8', lastMsn: 9, lastPart: 0 }],
  ended: false,
};
const liveText = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-TARGETDURATION:2
#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=12.0,HOLD-BACK=6.0,PART-HOLD-BACK=0.63
#EXT-X-PART-INF:PART-TARGET=0.21
#EXT-X-MEDIA-SEQUENCE:7
#EXT-X-MAP:URI="init-1?tok=a"
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T12:00:00.250Z
#EXTINF:1.0,
s7?tok=a
#EXT-X-DISCONTINUITY
#EXT-X-MAP:URI="init-2"
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T12:00:01.250Z
#EXT-X-PART:DURATION=0.2,URI="p0",INDEPENDENT=YES
#EXT-X-PART:DURATION=0.2,URI="p1"
#EXT-X-PART:DURATION=0.2,URI="p2"
#EXTINF:0.6,
s8
#EXT-X-PROGRAM-DATE-TIME:2026-11-20T12:00:01.850Z
#EXT-X-PART:DURATION=0.2,URI="p3",INDEPENDENT=YES
#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p4"
#EXT-X-RENDITION-REPORT:URI="../audio/index.m3u8",LAST-MSN=9,LAST-PART=0
`;
const delta: MediaPlaylist = { ...live, mediaSequence: 7, skippedSegments: 1, segments: live.segments.slice(1) };
const plain: MediaPlaylist = {
  ...live,
  version: 7,
  discontinuitySequence: 3,
  partTarget: undefined,
  serverControl: undefined,
  segments: [segment('a', { map: 'i', duration: 1.999_999 })],
  tail: undefined,
  preloadHint: undefined,
  renditionReports: [],
  ended: true,
};

const table: [name: string, value: MediaPlaylist, text: string][] = [
  ['live, low latency', live, liveText],
  [
    'a delta update',
    delta,
    liveText.replace(/#EXT-X-MAP:URI="init-1[\s\S]*?s7\?tok=a/, '#EXT-X-SKIP:SKIPPED-SEGMENTS=1'),
  ],
  [
    'plain, ended',
    plain,
    '#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-DISCONTINUITY-SEQUENCE:3\n#EXT-X-MAP:URI="i"\n#EXTINF:1.999999,\na\n#EXT-X-ENDLIST\n',
  ],
];

const multivariant: MultivariantPlaylist = {
  version: 9,
  audio: [{ group: 'audio', name: 'audio', isDefault: true, channels: 2, uri: 'audio/index.m3u8?tok=a' }],
  variants: [
    {
      uri: 'video/720p/index.m3u8?tok=a',
      bandwidth: 2_500_000,
      averageBandwidth: 2_000_000,
      codecs: 'avc1.64001f,mp4a.40.2',
      resolution: { width: 1280, height: 720 },
      frameRate: 29.97,
      audioGroup: 'audio',
    },
    {
      uri: 'audio/index.m3u8',
      bandwidth: 96_000,
      averageBandwidth: undefined,
      codecs: 'mp4a.40.2',
      resolution: undefined,
      frameRate: undefined,
      audioGroup: undefined,
    },
  ],
};
const multivariantText = `#EXTM3U
#EXT-X-VERSION:9
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/index.m3u8?tok=a"
#EXT-X-STREAM-INF:BANDWIDTH=2500000,AVERAGE-BANDWIDTH=2000000,CODECS="avc1.64001f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO="audio"
video/720p/index.m3u8?tok=a
#EXT-X-STREAM-INF:BANDWIDTH=96000,CODECS="mp4a.40.2"
audio/index.m3u8
`;

describe('playlists', () => {
  for (const [name, value, text] of table) {
    it(`writes: ${name}`, () => expect(writeMediaPlaylist(value)).toBe(text));
    it(`reads: ${name}`, () => expect(parseMediaPlaylist(text)).toEqual(value));
  }

  it('writes and reads a multivariant playlist', () => {
    expect(writeMultivariantPlaylist(multivariant)).toBe(multivariantText);
    expect(parseMultivariantPlaylist(multivariantText)).toEqual(multivariant);
  });

  it.each([
    ['a URI with a quote', { ...live, preloadHint: 'p"4' }],
    ['a URI with a line break', { ...live, segments: [segment('a\n#EXT-X-ENDLIST')] }],
    ['a URI that is a comment', { ...live, segments: [segment('#a')] }],
  ])('does not write %s', (_, value) => {
    expect(() => writeMediaPlaylist(value)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it.each([
    ['no first line', liveText.slice(1)],
    ['an unknown tag', liveText.replace('#EXT-X-PART-INF', '#EXT-X-PARTY')],
    ['a tag twice', liveText.replace('#EXT-X-VERSION:9\n', '#EXT-X-VERSION:9\n#EXT-X-VERSION:9\n')],
    ['a duration in words', liveText.replace('#EXTINF:1.0,', '#EXTINF:one,')],
    ['an EXTINF without a comma', liveText.replace('#EXTINF:1.0,', '#EXTINF:1.0')],
    ['a segment without EXTINF', liveText.replace('#EXTINF:1.0,\n', '')],
    ['a part without URI', liveText.replace(',URI="p1"', '')],
    ['a part behind its EXTINF', liveText.replace('\ns8', '\n#EXT-X-PART:DURATION=0.2,URI="x"\ns8')],
    ['an attribute twice', liveText.replace('URI="p1"', 'URI="p1",URI="p1"')],
    ['an open quote', liveText.replace('URI="p1"', 'URI="p1')],
    ['a trailing comma', liveText.replace('URI="p1"', 'URI="p1",')],
    ['a head behind the segments', `${liveText}#EXT-X-INDEPENDENT-SEGMENTS\n`],
    ['a date that is none', liveText.replace('2026-11-20T12:00:00.250Z', 'yesterday')],
    ['no target duration', liveText.replace('#EXT-X-TARGETDURATION:2\n', '')],
  ])('refuses %s', (_, text) => {
    expect(() => parseMediaPlaylist(text)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it('refuses what is too long to be one', () => {
    expect(() => parseMediaPlaylist(`#EXTM3U\n${'#'.repeat(9 << 20)}`)).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
  });
});

describe('rules', () => {
  it('finds nothing to say about a good playlist', () => {
    for (const [, value] of table) expect(mediaPlaylistProblems(value)).toEqual([]);
  });

  const control = live.serverControl!;
  it.each<[string, MediaPlaylist, RegExp]>([
    ['a segment too long', { ...plain, segments: [segment('a', { map: 'i', duration: 2.5 })] }, /4\.4\.3\.1/],
    ['no init segment', { ...plain, segments: [segment('a')] }, /4\.4\.4\.5/],
    ['a short hold back', { ...live, serverControl: { ...control, partHoldBack: 0.5 } }, /PART-HOLD-BACK/],
    ['a short skip', { ...live, serverControl: { ...control, canSkipUntil: 11 } }, /CAN-SKIP-UNTIL/],
    ['no blocking reload', { ...live, serverControl: { ...control, canBlockReload: false } }, /blocking/],
    ['no hint', { ...live, preloadHint: undefined }, /hint/],
    ['a part too long', { ...live, tail: { ...live.tail!, parts: [part('p3', true, 0.3)] } }, /lasts 0\.3/],
    ['a part too short', { ...live, tail: { ...live.tail!, parts: [part('p3', false, 0.1)] } }, /only 0\.1/],
    [
      'parts that are not the segment',
      { ...live, segments: [{ ...live.segments[1]!, duration: 0.7 }] },
      /the parts of/,
    ],
    ['a skip in an old version', { ...delta, version: 8 }, /version 9/],
  ])('says so: %s', (_, value, problem) => {
    expect(mediaPlaylistProblems(value).join()).toMatch(problem);
  });

  it('compares two reloads', () => {
    const next: MediaPlaylist = {
      ...live,
      mediaSequence: 8,
      segments: [live.segments[1]!, segment('s9', { parts: [part('p3', true)], duration: 0.2 })],
      tail: undefined,
    };
    expect(updateProblems(live, next)).toEqual([]);
    expect(updateProblems(live, { ...next, mediaSequence: 6 }).join()).toMatch(/went back/);
    expect(updateProblems(live, { ...next, targetDuration: 3 }).join()).toMatch(/target duration/);
    expect(updateProblems(live, { ...next, segments: [segment('x'), next.segments[1]!] }).join()).toMatch(/s8 changed/);
    expect(
      updateProblems(live, { ...next, segments: [live.segments[1]!, segment('s9', { parts: [part('y')] })] }),
    ).toEqual(['6.2.1: parts that were listed changed']);
    expect(updateProblems(live, { ...next, mediaSequence: 9, segments: [next.segments[1]!] }).join()).toMatch(
      /discontinuity sequence/,
    );
  });

  it('fills up a delta update', () => {
    expect(merge(live, delta)).toEqual(live);
    expect(merge({ ...live, mediaSequence: 8, segments: live.segments.slice(1) }, delta)).toBeUndefined();
  });
});
