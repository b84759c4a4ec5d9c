import type { Variant } from '../../codec/hls/playlist.ts';
import { writeMediaPlaylist, writeMultivariantPlaylist } from '../../codec/hls/write-playlist.ts';
import type { AssetIndex, TrackIndex } from './asset-index.ts';

const version = 7;

/** `query` goes to the end of every URI: `?tok=…`. */
export function vodMultivariant(index: AssetIndex, query: string, allowed: (track: string) => boolean): string {
  const all = index.tracks.filter(({ description }) => allowed(description.name));
  const audio = all.filter(({ description }) => description.kind === 'audio');
  const video = all.filter(({ description }) => description.kind === 'video');
  const sound = audio[0];
  const uri = ({ description }: TrackIndex) => `${description.name}/index.m3u8${query}`;
  const variants = (video.length > 0 ? video : audio.slice(0, 1)).map((track): Variant => {
    const { kind, codec, width, height, framerate } = track.description;
    const added = kind === 'video' ? sound : undefined;
    return {
      uri: uri(track),
      bandwidth: peakBits(track) + (added === undefined ? 0 : peakBits(added)),
      averageBandwidth: (track.description.bitrate ?? 0) + (added?.description.bitrate ?? 0),
      codecs: added === undefined ? codec : `${codec},${added.description.codec}`,
      resolution: width === undefined || height === undefined ? undefined : { width, height },
      frameRate: framerate,
      audioGroup: added === undefined ? undefined : 'audio',
    };
  });
  return writeMultivariantPlaylist({
    version,
    audio: (video.length === 0 ? [] : audio).map((track, i) => ({
      group: 'audio',
      name: track.description.name.replace(/^audio\//, ''),
      isDefault: i === 0,
      channels: track.description.channels,
      uri: uri(track),
    })),
    variants,
  });
}

export function vodMediaPlaylist({ segments, timescale, firstPeriod }: TrackIndex, query: string): string {
  return writeMediaPlaylist({
    version,
    type: 'VOD',
    targetDuration: Math.max(1, ...segments.map(({ duration }) => Math.round(duration / timescale))),
    mediaSequence: 0,
    discontinuitySequence: firstPeriod,
    partTarget: undefined,
    serverControl: undefined,
    skippedSegments: 0,
    segments: segments.map(({ duration, init }, i) => {
      const before = segments[i - 1]?.init;
      return {
        discontinuity: before !== undefined && init !== before,
        map: init === before ? undefined : `init-${init}.mp4${query}`,
        programDateTime: undefined,
        parts: [],
        uri: `segment-${i}.m4s${query}`,
        duration: duration / timescale,
      };
    }),
    tail: undefined,
    preloadHint: undefined,
    renditionReports: [],
    ended: true,
  });
}

function peakBits({ segments, timescale, description }: TrackIndex): number {
  let peak = description.bitrate ?? 0;
  for (const { length, duration } of segments) {
    // A stub of a segment says little about the rate.
    if (duration >= timescale / 2) peak = Math.max(peak, (length * 8 * timescale) / duration);
  }
  return peak;
}
