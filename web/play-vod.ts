import type { ErrorData, Events } from 'hls.js';
import { StreamsError, type ViewerState } from '../src/sdk/index.ts';
import type { HlsPlayer } from './hls-fallback.ts';

const retryMs = 2000;

/**
 * Plays an asset, `/hls/<as_… or pb_…>/index.m3u8`, with hls.js and the browser's own controls. Waits while the asset is not ready;
 * tells its state in the viewer's terms.
 */
export async function playVod(
  url: string,
  video: HTMLVideoElement,
  onState: (state: ViewerState) => void,
): Promise<Pick<HlsPlayer, 'stats' | 'close'>> {
  const { default: Hls } = await import('hls.js');
  const startedAt = performance.now();
  let joinMs: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  if (!Hls.isSupported()) {
    const error = new StreamsError('UNSUPPORTED', 'this browser cannot play media that a page hands it (no MSE)');
    onState({ name: 'ended', reason: 'network', error });
    return { stats: () => figures(video, undefined), close: () => {} };
  }
  let hls = new Hls();
  const begin = () => {
    hls.destroy();
    hls = new Hls();
    hls.on('hlsError' as Events.ERROR, (_, data) => {
      if (data.fatal) failed(data);
    });
    hls.loadSource(url);
    hls.attachMedia(video);
    void video.play().catch(() => {});
  };
  const failed = ({ response, error }: ErrorData) => {
    const status = response?.code;
    if (status === 401 || status === 403) {
      hls.destroy();
      const code = status === 401 ? 'TOKEN_EXPIRED' : 'TOKEN_INVALID';
      onState({ name: 'ended', reason: 'auth_failed', error: new StreamsError(code, 'the token was refused') });
      return;
    }
    const lost = new StreamsError('API_UNREACHABLE', error.message);
    onState(
      status === 404 ? { name: 'waiting' } : { name: 'reconnecting', attempt: 1, retryInMs: retryMs, error: lost },
    );
    clearTimeout(timer);
    timer = setTimeout(begin, retryMs);
  };
  const onPlaying = () => {
    joinMs ??= Math.round(performance.now() - startedAt);
    onState({ name: 'playing' });
  };
  video.controls = true;
  video.addEventListener('playing', onPlaying);
  begin();
  return {
    stats: () => figures(video, joinMs),
    close() {
      clearTimeout(timer);
      video.removeEventListener('playing', onPlaying);
      hls.destroy();
    },
  };
}

function figures(video: HTMLVideoElement, joinMs: number | undefined): ReturnType<HlsPlayer['stats']> {
  const { videoWidth, videoHeight, buffered, currentTime } = video;
  const ahead = buffered.length > 0 ? Math.max(0, buffered.end(buffered.length - 1) - currentTime) : 0;
  return {
    latencyMs: undefined,
    bufferMs: ahead * 1000,
    rendition: videoHeight > 0 ? `${videoHeight}p` : undefined,
    width: videoWidth,
    height: videoHeight,
    droppedFrames: video.getVideoPlaybackQuality().droppedVideoFrames,
    joinMs,
  };
}
