import { describe, expect, it } from 'vitest';
import { chooseTracks } from '../../commands/watch/choose-tracks.ts';
import type { Catalog } from '../../src/codec/catalog/streams-catalog.ts';

const catalog: Catalog = {
  version: 1,
  live: true,
  tracks: [
    { name: 'video/720p', kind: 'video', codec: 'avc1.64001f', height: 720 },
    { name: 'video/360p', kind: 'video', codec: 'avc1.64001e', height: 360 },
    { name: 'audio', kind: 'audio', codec: 'opus' },
    { name: 'audio/aac', kind: 'audio', codec: 'mp4a.40.2' },
  ],
};

describe('the tracks of watch', () => {
  it.each([
    [{}, ['video/720p', 'audio']],
    [{ rendition: '360p' }, ['video/360p', 'audio']],
    [{ rendition: 'video/360p' }, ['video/360p', 'audio']],
    [{ track: ['audio/aac'] }, ['audio/aac']],
  ])('%j', (options, names) => {
    expect(chooseTracks(options)(catalog)).toEqual(names);
  });

  it('says what there is instead', () => {
    expect(() => chooseTracks({ rendition: '480p' })(catalog)).toThrow(
      expect.objectContaining({ code: 'NOT_FOUND', hint: '--rendition 720p | 360p' }),
    );
    expect(() => chooseTracks({ track: ['x'] })(catalog)).toThrow(expect.objectContaining({ code: 'NOT_FOUND' }));
    expect(() => chooseTracks({ track: ['audio'], rendition: '360p' })).toThrow(
      expect.objectContaining({ code: 'USAGE' }),
    );
  });
});
