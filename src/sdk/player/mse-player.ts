import type { Catalog, CatalogTrack } from '../../codec/catalog/streams-catalog.ts';
import { parseFragment } from '../../codec/cmaf/fragment.ts';
import { parseInitSegment } from '../../codec/cmaf/init-segment.ts';
import { bytesEqual } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { selectDefaultTracks } from '../viewer/select-tracks.ts';
import type { Viewer, ViewerObject } from '../viewer/viewer-types.ts';
import { AdaptiveTarget, beginning, type Range, steer } from './live-edge.ts';
import { RenditionChoice } from './rendition-choice.ts';
import { TrackBuffer } from './track-buffer.ts';

export type PlayerOptions = {
  /**
   * Default: the tallest video and the first audio. The player has the last word on the video: one that can be decoded, a
   * smaller one after stalls, or the one of `setRendition`; it tells the viewer what to follow.
   */
  selectTracks?(catalog: Catalog): readonly string[];
  /** UNSUPPORTED: no MSE, or a codec this browser does not decode. Other problems are recovered from by themselves. */
  onProblem?(error: StreamsError): void;
};

export type PlayerStats = {
  /** How long ago the picture that is shown arrived at the ingest, ms: it grows while the picture stands still. undefined without `prft`. */
  readonly latencyMs: number | undefined;
  /** Media ahead of the playhead. */
  readonly bufferMs: number;
  /** Of the video track: `1080p`. */
  readonly rendition: string | undefined;
  readonly width: number;
  readonly height: number;
  /** Frames since the player was attached. */
  readonly decodedFrames: number;
  readonly droppedFrames: number;
  readonly playbackRate: number;
  /** Times the MediaSource was built anew after an error. */
  readonly rebuilds: number;
};

export type Player = {
  stats(): PlayerStats;
  /** Names of the video tracks this browser can play, the tallest first. */
  readonly renditions: readonly string[];
  /** undefined while the player chooses by itself. */
  readonly chosenRendition: string | undefined;
  /** The name of a video track; the picture changes at one of its next groups. undefined: the player chooses. */
  setRendition(name: string | undefined): void;
  detach(): void;
};

/** A rendition on its way in: what plays goes on until it is there. */
type Incoming = { readonly track: CatalogTrack; firstGroup: number | undefined; readonly atOnce: boolean };

type PlayerTrack = {
  readonly track: CatalogTrack;
  readonly buffer: TrackBuffer;
  init: Uint8Array | undefined;
  timescale: number;
  /** Seconds, of the last fragment, before the shift. */
  lastTime: number | undefined;
  timeline: number;
};

const tickMs = 100;
const rebuildPauseMs = 500;
/** A media clock that goes back by more than this began anew. */
const clockRestartSeconds = 1;

/** Plays what a viewer receives in a video element, by Media Source Extensions, close to the live edge. */
export function attachPlayer(viewer: Viewer, video: HTMLVideoElement, options: PlayerOptions = {}): Player {
  const target = new AdaptiveTarget();
  let tracks = new Map<string, PlayerTrack>();
  let catalogKey = '';
  let source: MediaSource | undefined;
  let sourceUrl: string | undefined;
  let started = false;
  let rebuilds = 0;
  let rebuildTimer: ReturnType<typeof setTimeout> | undefined;
  /** When the newest picture, or where there is none sound, was at the ingest: ms since the Unix epoch. */
  let producedAt: number | undefined;
  let soundOnly = true;
  // Every restart of the publisher's media clock begins a timeline, put after what is buffered.
  let timeline = 0;
  let shift = 0;

  let chosenRendition: string | undefined;
  let incoming: Incoming | undefined;
  const choice = new RenditionChoice(
    (track) => (globalThis.MediaSource as typeof MediaSource | undefined)?.isTypeSupported(mimeOf(track)) === true,
  );
  const wantedOf = (catalog: Catalog) => choice.apply(catalog, (options.selectTracks ?? selectDefaultTracks)(catalog));
  const videoTrack = () => [...tracks.values()].find(({ track }) => track.kind === 'video');

  const problem = (error: StreamsError) => options.onProblem?.(error);

  function build(catalog: Catalog): void {
    tearDown();
    const MediaSourceClass = globalThis.MediaSource as typeof MediaSource | undefined;
    if (MediaSourceClass === undefined) {
      problem(new StreamsError('UNSUPPORTED', 'this browser cannot play media that a page hands it (no MSE)'));
      return;
    }
    const wanted = wantedOf(catalog);
    viewer.select(wanted);
    const chosen = catalog.tracks.filter(({ name }) => wanted.includes(name));
    const playable = chosen.filter((track) => MediaSourceClass.isTypeSupported(mimeOf(track)));
    const missing = chosen.find((track) => !playable.includes(track));
    if (missing !== undefined)
      problem(new StreamsError('UNSUPPORTED', `this browser cannot decode ${missing.kind} in ${missing.codec}`));
    const opened = new MediaSourceClass();
    source = opened;
    tracks = new Map(playable.map((track) => [track.name, newTrack(track)]));
    opened.addEventListener('sourceopen', () => {
      if (source !== opened) return;
      // All before the first append: a browser refuses to add more later.
      try {
        const buffers = [...tracks.values()].map(
          (track) => [track, opened.addSourceBuffer(mimeOf(track.track))] as const,
        );
        for (const [track, buffer] of buffers) track.buffer.open(buffer);
      } catch (cause) {
        problem(new StreamsError('UNSUPPORTED', 'this browser refuses the codecs of the stream', { cause }));
      }
    });
    sourceUrl = URL.createObjectURL(opened);
    video.src = sourceUrl;
  }

  function newTrack(track: CatalogTrack): PlayerTrack {
    const buffer = new TrackBuffer(() => video.currentTime, rebuild);
    return { track, buffer, init: undefined, timescale: 0, lastTime: undefined, timeline: 0 };
  }

  function tearDown(): void {
    for (const { buffer } of tracks.values()) buffer.close();
    tracks = new Map();
    source = undefined;
    incoming = undefined;
    started = false;
    timeline = 0;
    shift = 0;
    if (sourceUrl !== undefined) URL.revokeObjectURL(sourceUrl);
    sourceUrl = undefined;
  }

  function rebuild(): void {
    if (rebuildTimer !== undefined) return;
    for (const { buffer } of tracks.values()) buffer.close();
    rebuildTimer = setTimeout(() => {
      rebuildTimer = undefined;
      rebuilds++;
      if (viewer.catalog !== undefined) build(viewer.catalog);
    }, rebuildPauseMs);
  }

  function onCatalog(catalog: Catalog): void {
    const key = keyOf(catalog, wantedOf(catalog));
    if ((key === catalogKey || incoming !== undefined) && source !== undefined) return;
    catalogKey = key;
    build(catalog);
  }

  /** To the picture that is wanted now. `atOnce`: what plays is given up before it. */
  function change(atOnce: boolean): void {
    const { catalog } = viewer;
    const playing = videoTrack();
    if (catalog === undefined || playing === undefined) return;
    const wanted = wantedOf(catalog);
    const next = catalog.tracks.find(({ name, kind }) => kind === 'video' && wanted.includes(name));
    incoming = undefined;
    if (next !== undefined && next.name !== playing.track.name) {
      incoming = { track: next, firstGroup: undefined, atOnce };
      if (!atOnce) wanted.push(playing.track.name);
    }
    viewer.select(wanted);
  }

  /** Groups of all renditions begin with the same picture: the new one takes over at its second, which came in whole. */
  function arrives(object: ViewerObject, to: Incoming): void {
    if (object.objectId !== 0) return;
    to.firstGroup ??= object.groupId;
    const playing = videoTrack();
    if (playing === undefined || (!to.atOnce && object.groupId === to.firstGroup)) return;
    tracks.delete(playing.track.name);
    tracks.set(to.track.name, { ...playing, track: to.track, init: undefined, timescale: 0 });
    if (mimeOf(to.track) !== mimeOf(playing.track)) playing.buffer.changeType(mimeOf(to.track));
    incoming = undefined;
    if (viewer.catalog === undefined) return;
    const wanted = wantedOf(viewer.catalog);
    catalogKey = keyOf(viewer.catalog, wanted);
    viewer.select(wanted);
  }

  function onObject(object: ViewerObject): void {
    if (incoming?.track.name === object.track) arrives(object, incoming);
    const track = tracks.get(object.track);
    if (track === undefined) return;
    if (object.kind === 'video') soundOnly = false;
    if (object.latencyMs !== undefined && (soundOnly || object.kind === 'video'))
      producedAt = object.receivedAt - object.latencyMs;
    try {
      if (object.objectId === 0) takeInit(track, object.payload);
      else if (track.init !== undefined) takeFragment(track, object.payload);
    } catch {
      rebuild();
    }
  }

  function takeInit(track: PlayerTrack, init: Uint8Array): void {
    if (track.init !== undefined && bytesEqual(track.init, init)) return;
    track.timescale = parseInitSegment(init)[0]?.timescale ?? 0;
    track.init = init;
    track.buffer.append(init);
  }

  function takeFragment(track: PlayerTrack, fragment: Uint8Array): void {
    const decodeTime = parseFragment(fragment).tracks[0]?.baseMediaDecodeTime;
    if (decodeTime !== undefined && track.timescale > 0) {
      const time = decodeTime / track.timescale;
      if (track.lastTime !== undefined && time < track.lastTime - clockRestartSeconds) {
        if (track.timeline === timeline) {
          timeline++;
          shift =
            Math.max(video.currentTime, ...[...tracks.values()].map(({ buffer }) => buffer.end ?? 0)) + 0.1 - time;
        }
        track.timeline = timeline;
        track.buffer.shift(shift);
      }
      track.lastTime = time;
    }
    track.buffer.append(fragment);
  }

  function buffered(): Range[] {
    const ranges = video.buffered;
    return Array.from({ length: ranges.length }, (_, i) => ({ start: ranges.start(i), end: ranges.end(i) }));
  }

  function tick(): void {
    if (source === undefined || source.readyState !== 'open') return;
    const ranges = buffered();
    if (!started) {
      const start = beginning(ranges, target.seconds);
      if (start === undefined) return;
      started = true;
      video.currentTime = start;
      // Refused autoplay leaves the element paused with its controls.
      video.play().catch(() => {});
      return;
    }
    if (viewer.catalog?.live === false) return;
    // A seek to where there is media comes to its end; one into a hole never would, and is steered out of it.
    const { currentTime } = video;
    if (video.seeking && ranges.some(({ start, end }) => currentTime >= start && currentTime < end)) return;
    const starved = video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA;
    if (!starved && !video.paused) target.calm(tickMs / 1000);
    if (video.paused) return;
    const { seekTo, rate } = steer({
      time: video.currentTime,
      buffered: ranges,
      targetSeconds: target.seconds,
      starved,
    });
    if (seekTo !== undefined) video.currentTime = seekTo;
    if (video.playbackRate !== rate) video.playbackRate = rate;
  }

  const onStall = () => {
    if (!started || video.seeking) return;
    target.stalled();
    const playing = videoTrack();
    if (viewer.catalog === undefined || playing === undefined || incoming !== undefined) return;
    if (choice.stalled(viewer.catalog, playing.track, performance.now())) change(true);
  };
  const onError = () => {
    if (source !== undefined) rebuild();
  };
  const bufferSeconds = () => Math.max(0, (buffered().at(-1)?.end ?? 0) - video.currentTime);

  const unlisten = viewer.listen({ onCatalog, onObject });
  if (viewer.catalog !== undefined) onCatalog(viewer.catalog);
  video.addEventListener('waiting', onStall);
  video.addEventListener('error', onError);
  const timer = setInterval(tick, tickMs);

  return {
    stats() {
      const quality = video.getVideoPlaybackQuality();
      const playing = videoTrack()?.track.name;
      const bufferMs = Math.round(bufferSeconds() * 1000);
      return {
        // What is shown is older than the newest by the buffer, and grows older while nothing comes.
        latencyMs: producedAt === undefined ? undefined : Math.round(Date.now() - producedAt + bufferMs),
        bufferMs,
        rendition: playing?.replace(/^video\//, ''),
        width: video.videoWidth,
        height: video.videoHeight,
        decodedFrames: quality.totalVideoFrames,
        droppedFrames: quality.droppedVideoFrames,
        playbackRate: video.playbackRate,
        rebuilds,
      };
    },
    get renditions() {
      return viewer.catalog === undefined ? [] : choice.playable(viewer.catalog).map(({ name }) => name);
    },
    get chosenRendition() {
      return chosenRendition;
    },
    setRendition(name) {
      chosenRendition = name;
      choice.choose(name);
      change(false);
    },
    detach() {
      unlisten();
      clearInterval(timer);
      clearTimeout(rebuildTimer);
      video.removeEventListener('waiting', onStall);
      video.removeEventListener('error', onError);
      tearDown();
      video.removeAttribute('src');
      video.load();
    },
  };
}

/** Changes when what is played has to be set up anew. */
function keyOf(catalog: Catalog, wanted: readonly string[]): string {
  const played = catalog.tracks.filter(({ name }) => wanted.includes(name));
  return JSON.stringify(played.map(({ name, codec }) => [name, codec]));
}

function mimeOf(track: CatalogTrack): string {
  return `${track.kind}/mp4; codecs="${track.codec}"`;
}
