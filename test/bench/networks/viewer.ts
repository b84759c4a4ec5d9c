import { setTimeout as sleep } from 'node:timers/promises';
import { BroadcastViewer } from '../../../src/sdk/index.ts';
import { connect } from '../../../src/transport/connect.ts';
import { readMark } from '../mark.ts';
import { percentile } from '../process-usage.ts';
import { frameRate, soundRate } from './broadcast.ts';

/** What came of `seconds` of the broadcast; times in ms. */
export type Watched = {
  readonly frames: number;
  readonly framesSent: number;
  readonly sounds: number;
  readonly soundsSent: number;
  readonly p50: number;
  readonly p99: number;
  readonly soundP99: number;
  /** Longest stretch of the picture that never came, ms. */
  readonly longestHole: number;
};

/** From joining to what is measured: controllers begin small. */
const warmUpMs = 3000;
/** What comes later than this is not counted. */
const patienceMs = 5000;

type Arrival = { readonly sequence: number; readonly sentAt: number; readonly latency: number };

const [url, text] = process.argv.slice(2) as [string, string];
const seconds = Number(text);
const arrivals: Record<string, Arrival[]> = { video: [], audio: [] };
const viewer = new BroadcastViewer({
  url,
  namespace: ['bench'],
  connect: (to, { signal }) => connect(to, { versions: ['moqt-18'], trust: { insecure: true }, signal }),
  onObject({ kind, objectId, payload }) {
    if (objectId === 0) return;
    const { sentAt, sequence } = readMark(payload);
    const latency = performance.timeOrigin + performance.now() - sentAt;
    arrivals[kind]!.push({ sequence, sentAt, latency });
  },
});
await sleep(warmUpMs);
const from = performance.timeOrigin + performance.now();
await sleep(seconds * 1000 + patienceMs);

const within = (kind: string) =>
  arrivals[kind]!.filter(
    ({ sentAt, latency }) => sentAt >= from && sentAt < from + seconds * 1000 && latency < patienceMs,
  );
const [video, audio] = [within('video'), within('audio')];
const latencies = (of: readonly Arrival[]) => of.map(({ latency }) => latency).sort((a, b) => a - b);
const watched: Watched = {
  frames: video.length,
  framesSent: Math.round(seconds * frameRate),
  sounds: audio.length,
  soundsSent: Math.round(seconds * soundRate),
  p50: percentile(latencies(video), 0.5),
  p99: percentile(latencies(video), 0.99),
  soundP99: percentile(latencies(audio), 0.99),
  longestHole: longestHole(video),
};
console.log(JSON.stringify(watched));
await viewer.close();
process.exit(0);

function longestHole(video: readonly Arrival[]): number {
  const times = [from, ...video.map(({ sentAt }) => sentAt).sort((a, b) => a - b), from + seconds * 1000];
  const longest = times.reduce((most, time, i) => Math.max(most, time - (times[i - 1] ?? time)), 0);
  return Math.max(0, Math.round(longest - 1000 / frameRate));
}
