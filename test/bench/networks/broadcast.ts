import { PublishedBroadcast } from '../../../src/sdk/publisher/published-broadcast.ts';
import { writeMark } from '../mark.ts';

/** What a 720p30 encoder at 2.5 Mbit/s makes, by size and time: a group a second, its first frame five times the others, and AAC. */
export const frameRate = 30;
export const soundRate = 46.875;
const keyframeBytes = 45_000;
const frameBytes = 9200;
const soundBytes = 340;
const initBytes = 700;

/** A broadcast of bytes that are no media: nothing between the encoder and the picture looks into them. */
export function startBroadcast(): { broadcast: PublishedBroadcast; stop(): void } {
  const broadcast = new PublishedBroadcast(Date.now());
  const init = (kind: string) => new TextEncoder().encode(kind.padEnd(initBytes));
  const video = {
    name: 'video',
    kind: 'video',
    codec: 'avc1.64001f',
    timescale: 90_000,
    width: 1280,
    height: 720,
  } as const;
  const audio = {
    name: 'audio',
    kind: 'audio',
    codec: 'mp4a.40.2',
    timescale: 48_000,
    sampleRate: 48_000,
    channels: 2,
  } as const;
  broadcast.describe(
    [
      { description: video, init: init('video') },
      { description: audio, init: init('audio') },
    ],
    { more: false },
  );
  const startedAt = performance.now();
  let [frames, sounds] = [0, 0];
  const push = (name: string, bytes: number, sequence: number, seconds: number, keyframe: boolean) => {
    const payload = new Uint8Array(bytes);
    writeMark(payload, sequence);
    broadcast.fragment(name, payload, { keyframe, seconds });
  };
  const timer = setInterval(() => {
    const seconds = (performance.now() - startedAt) / 1000;
    for (; frames / frameRate <= seconds; frames++) {
      const keyframe = frames % frameRate === 0;
      push('video', keyframe ? keyframeBytes : frameBytes, frames, frames / frameRate, keyframe);
    }
    for (; sounds / soundRate <= seconds; sounds++) push('audio', soundBytes, sounds, sounds / soundRate, true);
  }, 5);
  return { broadcast, stop: () => clearInterval(timer) };
}
