import {
  attachPlayer,
  BroadcastViewer,
  browserConnector,
  type PlayerStats,
  StreamsError,
  type ViewerState,
  type ViewerStats,
} from '../src/sdk/index.ts';
import { fetchEndpoints } from './endpoints.ts';
import { errorWords, stateWords, type Words } from './state-words.ts';

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

const video = element<HTMLVideoElement>('video');
const stage = element('stage');
const badge = element('badge');
const unmute = element<HTMLButtonElement>('unmute');
const fullscreen = element<HTMLButtonElement>('fullscreen');
const retry = element<HTMLButtonElement>('retry');

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
  if (id === '' || token === '') {
    show('ended', errorWords(new StreamsError('TOKEN_INVALID', 'no token')));
    return;
  }
  let certificateHashes: Uint8Array[] | undefined;
  const viewer = new BroadcastViewer({
    // Asked before every attempt: a relay that was restarted may have another port and certificate.
    url: async () => {
      const { relayUrl, certificateHash } = await fetchEndpoints();
      certificateHashes = certificateHash === undefined ? undefined : [certificateHash];
      return `${relayUrl.replace(/\/$/, '')}/playback/${encodeURIComponent(id)}?tok=${encodeURIComponent(token)}`;
    },
    connect: (url, options) =>
      browserConnector(certificateHashes === undefined ? {} : { certificateHashes })(url, options),
    onState: (state) => show(state.name, stateWords(state)),
  });
  const player = attachPlayer(viewer, video, {
    onProblem: (error) => {
      void viewer.close().then(() => show('ended', errorWords(error)));
    },
  });
  const stats = () => ({ ...viewer.stats, ...player.stats(), state: viewer.state.name });
  setInterval(() => showFigures(stats()), 250);
  Object.assign(window, { streamsPlayer: { stats } });
  window.addEventListener('pagehide', () => void viewer.close());
}

function showFigures({ latencyMs, bufferMs, rendition, width, height, droppedFrames, joinMs, state }: Figures): void {
  const playing = state === 'playing';
  const seconds = (ms: number | undefined) => (ms === undefined || !playing ? '–' : `${(ms / 1000).toFixed(2)} s`);
  element('latency').textContent = seconds(latencyMs);
  element('buffer').textContent = seconds(bufferMs);
  element('rendition').textContent = rendition ?? '–';
  element('resolution').textContent = width > 0 ? `${width} × ${height}` : '–';
  element('dropped').textContent = width > 0 ? String(droppedFrames) : '–';
  element('join').textContent = joinMs === undefined ? '–' : `${joinMs} ms`;
}

type Figures = PlayerStats & ViewerStats & { state: ViewerState['name'] };

unmute.addEventListener('click', () => {
  video.muted = false;
  unmute.hidden = true;
});
fullscreen.addEventListener('click', () => void stage.requestFullscreen());
retry.addEventListener('click', () => location.reload());
start();
