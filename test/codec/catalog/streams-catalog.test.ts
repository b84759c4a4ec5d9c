import { describe, expect, it } from 'vitest';
import { type Catalog, decodeCatalog, encodeCatalog } from '../../../src/codec/catalog/streams-catalog.ts';
import { utf8 } from '../../../src/core/bytes.ts';

const catalog: Catalog = {
  version: 1,
  live: true,
  tracks: [
    {
      name: 'video/360p',
      kind: 'video',
      codec: 'avc1.64001f',
      width: 640,
      height: 360,
      bitrate: 500000,
      framerate: 25,
    },
    { name: 'audio', kind: 'audio', codec: 'mp4a.40.2', sampleRate: 48000, channels: 2, init: 'AAAA' },
  ],
};

describe('the streams catalog', () => {
  it('survives a round trip', () => {
    expect(decodeCatalog(encodeCatalog(catalog))).toEqual(catalog);
  });

  it('drops fields it does not know', () => {
    const json = {
      version: 1,
      live: false,
      extra: 1,
      tracks: [{ name: 'a', kind: 'audio', codec: 'opus', language: 'de' }],
    };
    expect(decodeCatalog(utf8(JSON.stringify(json)))).toEqual({
      version: 1,
      live: false,
      tracks: [{ name: 'a', kind: 'audio', codec: 'opus' }],
    });
  });

  it('says UNSUPPORTED for another version', () => {
    expect(() => decodeCatalog(utf8('{"version":2}'))).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });

  const track = { name: 'a', kind: 'audio', codec: 'opus' };
  const bad: [string, unknown][] = [
    ['null', null],
    ['an array', []],
    ['no version', { live: true, tracks: [] }],
    ['live is text', { version: 1, live: 'yes', tracks: [] }],
    ['tracks missing', { version: 1, live: true }],
    [
      'tracks beyond 64',
      { version: 1, live: true, tracks: Array.from({ length: 65 }, (_, i) => ({ ...track, name: `${i}` })) },
    ],
    ['one name twice', { version: 1, live: true, tracks: [track, track] }],
    ['an unknown kind', { version: 1, live: true, tracks: [{ ...track, kind: 'text' }] }],
    ['no codec', { version: 1, live: true, tracks: [{ name: 'a', kind: 'audio' }] }],
    ['a negative width', { version: 1, live: true, tracks: [{ ...track, width: -1 }] }],
    ['init not base64', { version: 1, live: true, tracks: [{ ...track, init: '<script>' }] }],
  ];
  it.each(bad)('refuses %s', (_name, value) => {
    expect(() => decodeCatalog(utf8(JSON.stringify(value)))).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });

  it('refuses what is not JSON, not UTF-8, or too large', () => {
    for (const bytes of [utf8('{'), new Uint8Array([0xff, 0xfe]), new Uint8Array((1 << 20) + 1)])
      expect(() => decodeCatalog(bytes)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});
