import {
  attachPlayer,
  BroadcastViewer,
  browserConnector,
  type PlayerStats,
  StreamsError,
  type ViewerState,
} from '../src/sdk/index.ts';
import { fetchEndpoints } from './endpoints.ts';
import { type HlsPlayer, playHls } from './hls-fallback.ts';
import { playVod } from './play-vod.ts';
import { QualityMenu } from './quality-menu.ts';
import { assetWords, errorWords, stateWords, type Words } from './state-words.ts';

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

const video = element<HTMLVideoElement>('video');
const stage = element('stage');
const badge = element('badge');
const unmute = element<HTMLButtonElement>('unmute');
const fullscreen = element<HTMLButtonElement>('fullscreen');
const retry = element<HTMLButtonElement>('retry');

/** WebTransport and, a second later, WebSocket have so long. */
const connectTimeoutMs = 4000;
/** Out of reach for so long, the relay is left for LL-HLS: longer than it takes to be restarted. */
const unreachableMs = 3000;
/** Playing again for so long, it is gone back to. */
const steadyMs = 1000;

const id = decodeURIComponent(location.pathname.split('/')[2] ?? '');
const token = new URLSearchParams(location.search).get('tok') ?? '';

function show(name: ViewerState['name'], { badge: label, headline, detail }: Words): void {
  stage.dataset.state = name;
  badge.dataset.state = name;
  badge.textContent = label;
  element('headline').textContent = headline;
  element('detail').textContent = detail;
  retry.hidden = name !== 'ended';
  const playing = name === 'playing';
  unmute.hidden = !playing || !video.muted;
  fullscreen.hidden = !playing;
}

function start(): void {
  element('title').textContent = id;
  element('plain').hidden = isSecureContext || /^(as|pb)_/.test(id);
  if (id === '' || token === '') {
    show('ended', errorWords(new StreamsError('TOKEN_INVALID', 'no token')));
    return;
  }
  if (/^(as|pb)_/.test(id)) {
    startVod();
    return;
  }
  let certificateHashes: Uint8Array[] | undefined;
  let hls: HlsPlayer | undefined;
  let fellBack = false;
  let badSince: number | undefined = performance.now();
  let climbing: ReturnType<typeof setTimeout> | undefined;
  let state: ViewerState = { name: 'connecting' };
  const onState = (next: ViewerState) => {
    state = next;
    show(next.name, stateWords(next));
  };
  const viewer = new BroadcastViewer({
    // Asked before every attempt: a relay that was restarted may have another port and certificate.
    url: async () => {
      const { relayUrl, certificateHash } = await fetchEndpoints();
      certificateHashes = certificateHash === undefined ? undefined : [certificateHash];
      return `${relayUrl.replace(/\/$/, '')}/playback/${encodeURIComponent(id)}?tok=${encodeURIComponent(token)}`;
    },
    connect: (url, options) =>
      browserConnector(certificateHashes === undefined ? {} : { certificateHashes })(url, options),
    connectTimeoutMs,
    onState: (next) => {
      clearTimeout(climbing);
      if (next.name === 'playing' || next.name === 'waiting') badSince = undefined;
      else badSince ??= performance.now();
      if (fellBack) {
        if (next.name === 'playing') climbing = setTimeout(climb, steadyMs);
      } else if (noWayThrough(next, badSince)) fallBack();
      else onState(next);
    },
  });
  const attach = () =>
    attachPlayer(viewer, video, {
      onProblem: (error) => {
        void viewer.close().then(() => show('ended', errorWords(error)));
      },
    });
  let player = attach();
  /** To LL-HLS: plain HTTP comes through where the relay cannot be reached. The viewer goes on trying. */
  function fallBack(): void {
    fellBack = true;
    onState({ name: 'connecting' });
    player.detach();
    const url = `/hls/${encodeURIComponent(id)}/index.m3u8?tok=${encodeURIComponent(token)}`;
    void playHls(url, video, (next) => {
      if (fellBack) onState(next);
    }).then((started) => {
      if (fellBack) hls = started;
      else started.close();
    });
  }
  /** Back to the relay. */
  function climb(): void {
    fellBack = false;
    hls?.close();
    hls = undefined;
    player = attach();
    onState(viewer.state);
  }
  const stats = () => {
    const figures = fellBack ? hls?.stats() : { ...viewer.stats, ...player.stats() };
    return { ...noFigures, ...figures, way: fellBack ? 'hls' : 'moqt', state: state.name };
  };
  const qualities = () => {
    if (fellBack) return hls?.qualities() ?? { names: [], chosen: undefined };
    return { names: player.renditions, chosen: player.chosenRendition };
  };
  const menu = new QualityMenu(element<HTMLSelectElement>('quality'), (name) => {
    if (fellBack) hls?.setQuality(name);
    else player.setRendition(name);
  });
  setInterval(() => {
    showFigures(stats());
    menu.show(state.name === 'playing' ? qualities() : { names: [], chosen: undefined });
  }, 250);
  Object.assign(window, { streamsPlayer: { stats } });
  window.addEventListener('pagehide', () => {
    hls?.close();
    void viewer.close();
  });
}

/** An asset: it is not live, so it comes over plain HTTP. */
function startVod(): void {
  let state: ViewerState = { name: 'connecting' };
  let player: Pick<HlsPlayer, 'stats' | 'close'> | undefined;
  const onState = (next: ViewerState) => {
    state = next;
    show(next.name, assetWords(next));
  };
  document.body.classList.add('asset');
  onState(state);
  const url = `/hls/${encodeURIComponent(id)}/index.m3u8?tok=${encodeURIComponent(token)}`;
  void playVod(url, video, onState).then((started) => {
    player = started;
  });
  const stats = () => ({ ...noFigures, ...player?.stats(), way: 'vod', state: state.name });
  setInterval(() => showFigures(stats()), 250);
  Object.assign(window, { streamsPlayer: { stats } });
  window.addEventListener('pagehide', () => player?.close());
}

/** No transport in this browser, or none that reaches the relay. `badSince`: when it last played or waited, by `performance.now()`. */
function noWayThrough(state: ViewerState, badSince: number | undefined): boolean {
  if (state.name === 'ended') return state.error?.code === 'UNSUPPORTED';
  if (state.name !== 'reconnecting' || badSince === undefined) return false;
  const unreachable = state.error.code === 'RELAY_UNREACHABLE' || state.error.code === 'TIMEOUT';
  return unreachable && performance.now() - badSince >= unreachableMs;
}

function showFigures({ latencyMs, bufferMs, rendition, width, height, droppedFrames, joinMs, state }: Figures): void {
  const playing = state === 'playing' || state === 'stalled';
  const seconds = (ms: number | undefined) => (ms === undefined || !playing ? '–' : `${(ms / 1000).toFixed(2)} s`);
  element('latency').textContent = seconds(latencyMs);
  element('buffer').textContent = seconds(bufferMs);
  element('rendition').textContent = rendition ?? '–';
  element('resolution').textContent = width > 0 ? `${width} × ${height}` : '–';
  element('dropped').textContent = width > 0 ? String(droppedFrames) : '–';
  element('join').textContent = joinMs === undefined ? '–' : `${joinMs} ms`;
}

type Figures = Pick<PlayerStats, 'latencyMs' | 'bufferMs' | 'rendition' | 'width' | 'height' | 'droppedFrames'> & {
  joinMs?: number | undefined;
  state: ViewerState['name'];
};
const noFigures = {
  latencyMs: undefined,
  bufferMs: 0,
  rendition: undefined,
  width: 0,
  height: 0,
  droppedFrames: 0,
  joinMs: undefined,
};

unmute.addEventListener('click', () => {
  video.muted = false;
  unmute.hidden = true;
});
fullscreen.addEventListener('click', () => void stage.requestFullscreen());
retry.addEventListener('click', () => location.reload());
start();
