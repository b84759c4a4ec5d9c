import type { MediaPlaylist, PlaylistPart, RenditionReport, SegmentHead, Variant } from '../../codec/hls/playlist.ts';
import { writeMediaPlaylist, writeMultivariantPlaylist } from '../../codec/hls/write-playlist.ts';
import { type InitMap, type Part, type Rendition, type Segment, targetDuration } from './rendition.ts';
import type { HlsWindow, Offer } from './window.ts';

const version = 9;
/** 4.4.3.8: at least six target durations. */
export const skipUntilSeconds = 6 * targetDuration;
/** 4.4.4.9: parts further back may go. */
const partsSeconds = 3 * targetDuration;

/** `video/source/index.m3u8` below the broadcast's folder. */
export function playlistPath(trackName: string): string {
  return `${trackName}/index.m3u8`;
}

type Allowed = (trackName: string) => boolean;

/** `query` goes to the end of every URI: `?tok=…`. */
export function multivariantPlaylist(window: HlsWindow, query: string, allowed: Allowed): string {
  const all = window.offers.filter(({ description }) => allowed(description.name));
  const sounds = all.filter(({ description }) => description.kind === 'audio');
  const video = all.filter(({ description }) => description.kind === 'video');
  // AAC plays everywhere; one group holds one codec (4.4.6.2.1).
  const sound = sounds.find(({ description }) => description.codec.startsWith('mp4a')) ?? sounds[0];
  const audio = sounds.filter(({ description }) => description.codec === sound?.description.codec);
  const rate = (offer: Offer | undefined) => (offer === undefined ? { peak: 0, mean: 0 } : bitrates(offer));
  const variants = (video.length > 0 ? video : audio.slice(0, 1)).map((offer): Variant => {
    const { name, kind, codec, width, height, framerate } = offer.description;
    const withSound = kind === 'video' && sound !== undefined ? sound : undefined;
    const [own, added] = [rate(offer), rate(withSound)];
    return {
      uri: playlistPath(name) + query,
      bandwidth: own.peak + added.peak,
      averageBandwidth: own.mean + added.mean,
      codecs: withSound === undefined ? codec : `${codec},${withSound.description.codec}`,
      resolution: width === undefined || height === undefined ? undefined : { width, height },
      frameRate: framerate,
      audioGroup: withSound === undefined ? undefined : 'audio',
    };
  });
  const groups = video.length === 0 ? [] : audio;
  return writeMultivariantPlaylist({
    version,
    audio: groups.map(({ description: { name, channels } }, i) => ({
      group: 'audio',
      name: name.replace(/^audio\//, ''),
      isDefault: i === 0,
      channels,
      uri: playlistPath(name) + query,
    })),
    variants,
  });
}

/** As multivariantPlaylist. `skip`: the client has the front already (a delta update), where that leaves anything out. */
export function mediaPlaylist(
  window: HlsWindow,
  rendition: Rendition,
  query: string,
  { skip, allowed }: { skip: boolean; allowed: Allowed },
): string {
  const { partTarget } = window;
  const listed = rendition.listed;
  const fromEnd = secondsToEnd(rendition);
  const skipped = skip ? fromEnd.filter((seconds) => seconds > skipUntilSeconds).length : 0;
  const up = '../'.repeat(rendition.description.name.split('/').length);
  const head = (segment: Segment, parts: readonly Part[], before: InitMap | undefined): SegmentHead => ({
    discontinuity: segment.discontinuity,
    map: segment.map === before ? undefined : `init-${segment.map.number}.mp4${query}`,
    programDateTime: segment.programDateTime,
    parts: parts.map(
      ({ number, duration, independent }): PlaylistPart => ({
        uri: `part-${number}.m4s${query}`,
        duration,
        independent,
      }),
    ),
  });
  const { open } = rendition;
  const hint = rendition.ended ? undefined : `part-${rendition.hintedPart}.m4s${query}`;
  const playlist: MediaPlaylist = {
    version,
    targetDuration,
    independentSegments: [...listed, ...(open === undefined ? [] : [open])].every(({ independent }) => independent),
    mediaSequence: listed[0]?.msn ?? open?.msn ?? 0,
    discontinuitySequence: rendition.discontinuitySequence,
    partTarget,
    serverControl: {
      canBlockReload: true,
      canSkipUntil: skipUntilSeconds,
      holdBack: 3 * targetDuration,
      partHoldBack: Math.ceil(partTarget * 3000) / 1000,
    },
    skippedSegments: skipped,
    segments: listed.slice(skipped).map((segment, i) => ({
      ...head(segment, fromEnd[skipped + i]! <= partsSeconds ? segment.parts : [], listed[skipped + i - 1]?.map),
      uri: `segment-${segment.msn}.m4s${query}`,
      duration: segment.duration,
    })),
    tail:
      open === undefined || rendition.openParts.length === 0
        ? undefined
        : head(open, rendition.openParts, listed.at(-1)?.map),
    preloadHint: hint,
    renditionReports: [...window.renditions.values()]
      .filter((other) => other !== rendition && other.segments.length > 0 && allowed(other.description.name))
      .map(
        (other): RenditionReport => ({
          uri: `${up}${playlistPath(other.description.name)}${query}`,
          ...lastOf(other),
        }),
      ),
    ended: rendition.ended,
  };
  return writeMediaPlaylist(playlist);
}

/** Media sequence number and part index of the newest whole part. */
export function lastOf(rendition: Rendition): { lastMsn: number; lastPart: number | undefined } {
  const { open, openParts } = rendition;
  if (open !== undefined && openParts.length > 0) return { lastMsn: open.msn, lastPart: openParts.length - 1 };
  const last = rendition.segments.at(-1);
  return { lastMsn: last?.msn ?? 0, lastPart: last === undefined ? undefined : last.parts.length - 1 };
}

/** From the beginning of each listed segment to the end of the playlist. */
function secondsToEnd(rendition: Rendition): number[] {
  let seconds = rendition.openParts.reduce((sum, { duration }) => sum + duration, 0);
  return rendition.listed
    .map(({ duration }) => duration)
    .reduceRight<number[]>((all, duration) => {
      seconds += duration;
      all.unshift(seconds);
      return all;
    }, []);
}

/** A rate control lets single seconds go this far above the mean. */
const peakOfMean = 1.5;

function bitrates({ description, rendition }: Offer): { peak: number; mean: number } {
  // What we make ourselves has the rate we told it, also before it runs.
  if (rendition === undefined || rendition.onDemand) {
    const mean = description.bitrate ?? 1;
    return { peak: Math.round(mean * peakOfMean), mean };
  }
  const { segments } = rendition;
  let peak = 0;
  let bits = 0;
  let seconds = 0;
  for (const { bytes, duration } of segments) {
    // A stub of a segment says little about the rate.
    if (duration >= 0.5) peak = Math.max(peak, (bytes * 8) / duration);
    bits += bytes * 8;
    seconds += duration;
  }
  const mean = seconds > 0 ? bits / seconds : (description.bitrate ?? 1);
  return { peak: Math.max(peak, mean), mean };
}
