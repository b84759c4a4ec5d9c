import { describe, expect, it } from 'vitest';
import type { Catalog, CatalogTrack } from '../../../src/codec/catalog/streams-catalog.ts';
import { RenditionChoice } from '../../../src/sdk/player/rendition-choice.ts';

const video = (height: number, codec = 'avc1.64001f'): CatalogTrack => ({
  name: `video/${height}p`,
  kind: 'video',
  codec,
  height,
});
const audio: CatalogTrack = { name: 'audio', kind: 'audio', codec: 'mp4a.40.2' };
const catalog: Catalog = { version: 1, live: true, tracks: [video(1080, 'hvc1.1'), video(720), video(360), audio] };
const avcOnly = () => new RenditionChoice(({ codec }) => codec.startsWith('avc1'));

describe('the choice of a rendition', () => {
  it('is the best that can be decoded, beside the sound', () => {
    expect(avcOnly().apply(catalog, ['video/1080p', 'audio'])).toEqual(['video/720p', 'audio']);
    expect(new RenditionChoice(() => true).apply(catalog, ['video/1080p', 'audio'])).toEqual(['video/1080p', 'audio']);
    expect(
      avcOnly()
        .playable(catalog)
        .map(({ name }) => name),
    ).toEqual(['video/720p', 'video/360p']);
  });

  it('leaves a choice without a picture, or without one that plays, as it is', () => {
    expect(avcOnly().apply(catalog, ['audio'])).toEqual(['audio']);
    const none = new RenditionChoice(() => false);
    expect(none.apply(catalog, ['video/1080p', 'audio'])).toEqual(['video/1080p', 'audio']);
  });

  it('is what a person chose, while it is there', () => {
    const choice = avcOnly();
    choice.choose('video/360p');
    expect(choice.automatic).toBe(false);
    expect(choice.apply(catalog, ['video/1080p', 'audio'])).toEqual(['video/360p', 'audio']);
    expect(choice.stalled(catalog, video(360), 0)).toBe(false);
    choice.choose('video/480p');
    expect(choice.apply(catalog, ['video/1080p', 'audio'])).toEqual(['video/720p', 'audio']);
  });

  it('goes down after three stalls in fifteen seconds, as far as there is something below', () => {
    const choice = avcOnly();
    const stalls = (height: number, ...at: number[]) => at.map((ms) => choice.stalled(catalog, video(height), ms));
    expect(stalls(720, 0, 8000, 16_000)).toEqual([false, false, false]);
    expect(stalls(720, 17_000)).toEqual([true]);
    expect(choice.apply(catalog, ['video/1080p', 'audio'])).toEqual(['video/360p', 'audio']);
    expect(stalls(360, 18_000, 18_100, 18_200, 18_300)).toEqual([false, false, false, false]);
    choice.choose(undefined);
    expect(choice.apply(catalog, ['video/1080p', 'audio'])).toEqual(['video/720p', 'audio']);
  });
});
