import { describe, expect, it } from 'vitest';
import { decodeHangCatalog, encodeHangCatalog } from '../../../src/codec/catalog/hang-catalog.ts';
import { decodeMsfCatalog, encodeMsfCatalog } from '../../../src/codec/catalog/msf-catalog.ts';
import type { Catalog } from '../../../src/codec/catalog/streams-catalog.ts';
import { fromUtf8, utf8 } from '../../../src/core/bytes.ts';

const catalog: Catalog = {
  version: 1,
  live: true,
  tracks: [
    {
      ...{ name: 'cmaf/video/720p', kind: 'video', codec: 'avc1.64001f', width: 1280, height: 720 },
      ...{ framerate: 30, bitrate: 2_500_000, init: 'AAAB' },
    },
    {
      ...{ name: 'cmaf/audio', kind: 'audio', codec: 'mp4a.40.2', sampleRate: 48_000, channels: 2 },
      ...{ bitrate: 128_000, init: 'AAAC' },
    },
    { name: 'cmaf/video/360p', kind: 'video', codec: 'avc1.42c01e', width: 640, height: 360 },
  ],
};
const withInit = { ...catalog, tracks: catalog.tracks.slice(0, 2) };

describe('MSF', () => {
  it('says what draft-ietf-moq-msf and -cmsf ask for, of tracks that can be read', () => {
    expect(JSON.parse(fromUtf8(encodeMsfCatalog(catalog, 1_746_104_606_044.7)))).toEqual({
      version: 'draft-01',
      generatedAt: 1_746_104_606_044,
      tracks: [
        {
          ...{ name: 'cmaf/video/720p', packaging: 'cmaf', isLive: true, role: 'video', renderGroup: 1, altGroup: 1 },
          ...{ codec: 'avc1.64001f', width: 1280, height: 720, framerate: 30, bitrate: 2_500_000 },
          ...{ initRef: 'cmaf/video/720p', initData: 'AAAB' },
        },
        {
          ...{ name: 'cmaf/audio', packaging: 'cmaf', isLive: true, role: 'audio', renderGroup: 1 },
          ...{ codec: 'mp4a.40.2', samplerate: 48_000, channelConfig: '2', bitrate: 128_000 },
          ...{ initRef: 'cmaf/audio', initData: 'AAAC' },
        },
      ],
      initDataList: [
        { id: 'cmaf/video/720p', type: 'inline', data: 'AAAB' },
        { id: 'cmaf/audio', type: 'inline', data: 'AAAC' },
      ],
    });
    expect(decodeMsfCatalog(encodeMsfCatalog(catalog, 0))).toEqual(withInit);
  });

  it('ends as the draft ends a broadcast', () => {
    const ended = encodeMsfCatalog({ ...catalog, live: false }, 0);
    expect(JSON.parse(fromUtf8(ended))).toEqual({ version: 'draft-01', isComplete: true, tracks: [] });
    expect(decodeMsfCatalog(ended)).toEqual({ version: 1, live: false, tracks: [] });
  });

  it('reads the example of the draft, and both ways to give an init segment', () => {
    const example = {
      version: 1,
      generatedAt: 1_746_104_606_044,
      tracks: [
        {
          ...{ name: 'hd', renderGroup: 1, packaging: 'cmaf', isLive: true, initData: 'AAAA', role: 'video' },
          ...{ codec: 'avc1.640028', width: 1920, height: 1080, bitrate: 5_000_000, framerate: 30, altGroup: 1 },
        },
        {
          ...{ name: 'audio', packaging: 'loc', isLive: true, initRef: 'a', role: 'audio', codec: 'opus' },
          ...{ samplerate: 48_000, channelConfig: '2', bitrate: 67_071 },
        },
        { name: 'captions', packaging: 'loc', role: 'caption' },
      ],
      initDataList: [{ id: 'a', type: 'inline', data: 'BBBB' }],
    };
    expect(decodeMsfCatalog(utf8(JSON.stringify(example))).tracks).toEqual([
      {
        ...{ name: 'hd', kind: 'video', codec: 'avc1.640028', width: 1920, height: 1080 },
        ...{ bitrate: 5_000_000, framerate: 30, init: 'AAAA' },
      },
      {
        ...{ name: 'audio', kind: 'audio', codec: 'opus', sampleRate: 48_000, channels: 2 },
        ...{ bitrate: 67_071, init: 'BBBB' },
      },
    ]);
  });
});

describe('hang', () => {
  it('maps track names to decoder configurations with the init segment', () => {
    expect(JSON.parse(fromUtf8(encodeHangCatalog(catalog)))).toEqual({
      video: {
        renditions: {
          'cmaf/video/720p': {
            ...{ codec: 'avc1.64001f', codedWidth: 1280, codedHeight: 720, framerate: 30, bitrate: 2_500_000 },
            ...{ jitter: 33, container: { kind: 'cmaf', init: 'AAAB' } },
          },
        },
      },
      audio: {
        renditions: {
          'cmaf/audio': {
            ...{ codec: 'mp4a.40.2', sampleRate: 48_000, numberOfChannels: 2, bitrate: 128_000 },
            container: { kind: 'cmaf', init: 'AAAC' },
          },
        },
      },
    });
    expect(decodeHangCatalog(encodeHangCatalog(catalog))).toEqual(withInit);
    expect(JSON.parse(fromUtf8(encodeHangCatalog({ ...catalog, live: false })))).toEqual({});
  });
});

describe.each([
  ['MSF', decodeMsfCatalog],
  ['hang', decodeHangCatalog],
])('garbage for %s', (_, decode) => {
  it.each([
    '',
    '[]',
    'null',
    '{"version":1,"tracks":3,"video":3}',
    '{"version":1,"tracks":[{"role":"video"}],"audio":{"renditions":{"a":1}}}',
  ])('is refused: %s', (text) => {
    expect(() => decode(utf8(text))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
  it('is bounded', () => {
    expect(() => decode(new Uint8Array(2 << 20))).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });
});
