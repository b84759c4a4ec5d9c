import type Hls from 'hls.js';
import type { ErrorData, Events } from 'hls.js';
import { StreamsError, type ViewerState } from '../src/sdk/index.ts';
import type { Qualities } from './quality-menu.ts';

export type HlsStats = {
  latencyMs: number | undefined;
  bufferMs: number;
  rendition: string | undefined;
  width: number;
  height: number;
  droppedFrames: number;
  joinMs: number | undefined;
};

export type HlsPlayer = {
  stats(): HlsStats;
  qualities(): Qualities;
  /** A name of `qualities`; undefined leaves it to hls.js. */
  setQuality(name: string | undefined): void;
  close(): void;
};

const retryMs = 1000;
const steerMs = 100;
/** Standing still for so long is the end of a stream that is over; of one that goes on, a lost connection. */
const endedAfterMs = 700;
const lostAfterMs = 8000;
/** Seconds of buffer below which the player does not hurry. */
const minBuffer = 0.4;
/** Seconds behind the target from which it jumps instead. */
const jumpFrom = 0.5;
/** hls.js tries on for a minute by itself; here a failure is shown, and the player begins anew. */
const loadPolicy = {
  default: {
    maxTimeToFirstByteMs: 10_000,
    maxLoadTimeMs: 10_000,
    // A playlist held back for a publisher that dials again; hls.js waits two seconds for each.
    timeoutRetry: { maxNumRetry: 3, retryDelayMs: 0, maxRetryDelayMs: 0 },
    errorRetry: { maxNumRetry: 1, retryDelayMs: 500, maxRetryDelayMs: 500 },
  },
};

/**
 * Plays `/hls/<id>/index.m3u8` with hls.js, which is loaded here and not before. Waits while the stream is off air, begins again
 * when it ends or breaks; tells its state in the viewer's terms.
 */
export async function playHls(
  url: string,
  video: HTMLVideoElement,
  onState: (state: ViewerState) => void,
): Promise<HlsPlayer> {
  const { default: HlsClass } = await import('hls.js');
  const startedAt = performance.now();
  let hls: Hls | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let joinMs: number | undefined;
  let closed = false;
  /** Jumped to the target, or had no need to. */
  let steered = false;
  let playing = false;
  let position = 0;
  let movedAt = 0;
  if (!HlsClass.isSupported()) {
    const error = new StreamsError('UNSUPPORTED', 'this browser cannot play media that a page hands it (no MSE)');
    onState({ name: 'ended', reason: 'network', error });
    return {
      stats: () => figures(undefined, video, undefined),
      qualities: () => ({ names: [], chosen: undefined }),
      setQuality: () => {},
      close: () => {},
    };
  }

  function begin(): void {
    hls?.destroy();
    const player = new HlsClass({
      lowLatencyMode: true,
      backBufferLength: 10,
      // hls.js catches up only with more than a second of buffer; see `steer`.
      maxLiveSyncPlaybackRate: 1,
      manifestLoadPolicy: loadPolicy,
      playlistLoadPolicy: loadPolicy,
    });
    hls = player;
    steered = false;
    player.on('hlsError' as Events.ERROR, (_, data) => {
      if (player === hls && data.fatal) again(data);
    });
    player.loadSource(url);
    player.attachMedia(video);
    void video.play().catch(() => {});
  }

  function again({ response, error }: ErrorData): void {
    const status = response?.code;
    if (status === 401 || status === 403) {
      hls?.destroy();
      const code = status === 401 ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID';
      onState({ name: 'ended', reason: 'auth_failed', error: new StreamsError(code, 'the token was refused') });
      return;
    }
    wait(status === 404 ? undefined : new StreamsError('API_UNREACHABLE', error.message));
  }

  function wait(error?: StreamsError): void {
    if (closed) return;
    playing = false;
    onState(
      error === undefined ? { name: 'waiting' } : { name: 'reconnecting', attempt: 1, retryInMs: retryMs, error },
    );
    clearTimeout(timer);
    timer = setTimeout(begin, retryMs);
  }

  const watching = setInterval(() => {
    if (!playing || (video.paused && !video.ended)) return;
    if (video.currentTime !== position) {
      position = video.currentTime;
      movedAt = performance.now();
    }
    // hls.js does not always play a stream that is over to its very end.
    const stoodMs = performance.now() - movedAt;
    if (stoodMs > endedAfterMs && hls?.latestLevelDetails?.live === false) wait();
    else if (stoodMs > lostAfterMs) wait(new StreamsError('API_UNREACHABLE', 'nothing arrives any more'));
  }, 250);
  const steering = setInterval(() => {
    if (hls === undefined || !Number.isFinite(hls.latency) || video.paused || video.seeking) return;
    const behind = hls.latency - (hls.targetLatency ?? 1);
    const ahead = bufferOf(video);
    const spare = Math.min(behind, ahead - minBuffer);
    if (!steered && spare > jumpFrom) video.currentTime += spare;
    steered ||= ahead > minBuffer;
    video.playbackRate = spare > 0.05 ? 1 + Math.min(0.1, spare / 2) : 1;
  }, steerMs);
  const onPlaying = () => {
    playing = true;
    movedAt = performance.now();
    joinMs ??= Math.round(performance.now() - startedAt);
    onState({ name: 'playing' });
  };
  const onEnded = () => wait();
  video.addEventListener('playing', onPlaying);
  video.addEventListener('ended', onEnded);
  begin();
  return {
    stats: () => figures(hls, video, joinMs),
    qualities: () => {
      const { levels = [], autoLevelEnabled = true, nextLevel = -1 } = hls ?? {};
      const chosen = autoLevelEnabled ? undefined : levels[nextLevel];
      const tallestFirst = [...levels].sort((a, b) => b.height - a.height);
      return { names: tallestFirst.map(nameOf), chosen: chosen === undefined ? undefined : nameOf(chosen) };
    },
    setQuality(name) {
      if (hls !== undefined) hls.nextLevel = hls.levels.findIndex((level) => nameOf(level) === name);
    },
    close() {
      closed = true;
      clearTimeout(timer);
      clearInterval(steering);
      clearInterval(watching);
      video.removeEventListener('playing', onPlaying);
      video.removeEventListener('ended', onEnded);
      hls?.destroy();
    },
  };
}

function figures(hls: Hls | undefined, video: HTMLVideoElement, joinMs: number | undefined): HlsStats {
  const { videoWidth, videoHeight } = video;
  const playing = hls?.playingDate?.getTime();
  return {
    latencyMs: playing === undefined ? undefined : Date.now() - playing,
    bufferMs: bufferOf(video) * 1000,
    rendition: videoHeight > 0 ? `${videoHeight}p` : undefined,
    width: videoWidth,
    height: videoHeight,
    droppedFrames: video.getVideoPlaybackQuality().droppedVideoFrames,
    joinMs,
  };
}

/** By the shorter side, as renditions are named. */
function nameOf({ width, height }: { width: number; height: number }): string {
  return `${Math.min(width, height)}p`;
}

/** Seconds ahead of the playhead. */
function bufferOf({ buffered, currentTime }: HTMLVideoElement): number {
  return buffered.length > 0 ? Math.max(0, buffered.end(buffered.length - 1) - currentTime) : 0;
}
