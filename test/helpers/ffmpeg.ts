import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { finished } from './streams-cli.ts';

function need(tool: 'ffmpeg' | 'ffprobe'): void {
  if (spawnSync(tool, ['-version'], { stdio: 'ignore' }).error !== undefined)
    throw new Error(`this test needs ${tool}: apt-get install -y ffmpeg`);
}

export type Encoder = { process: ChildProcess; stop(): Promise<void> };

/** A real encoder: test picture and tone, H.264 and AAC, keyframe every second, in real time to an RTMP URL. */
export function startEncoder(
  rtmpUrl: string,
  options: { size?: string; rate?: number; bframes?: number } = {},
): Encoder {
  need('ffmpeg');
  const { size = '640x360', rate = 30, bframes = 0 } = options;
  const child = spawn(
    'ffmpeg',
    // biome-ignore format: one option a line says less
    ['-hide_banner', '-loglevel', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}`, '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000',
     '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-bf', String(bframes), '-pix_fmt', 'yuv420p', '-g', String(rate), '-b:v', '800k',
     '-c:a', 'aac', '-b:a', '96k', '-ac', '2', '-f', 'flv', rtmpUrl],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = finished(child, 600_000);
  ended.catch(() => undefined);
  return {
    process: child,
    async stop() {
      if (child.exitCode === null) child.kill('SIGKILL');
      await ended;
    },
  };
}

export type Probe = {
  streams: { codec_type: string; codec_name: string; width?: number; height?: number; sample_rate?: string }[];
  packets: {
    stream_index: number;
    codec_type: string;
    pts_time: string;
    dts_time: string;
    duration_time?: string;
    flags: string;
  }[];
};

/** ffprobe's view of a file; throws with its words when it does not accept the file. */
export async function probe(file: string): Promise<Probe> {
  need('ffprobe');
  const child = spawn('ffprobe', ['-v', 'error', '-show_streams', '-show_packets', '-of', 'json', file], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const result = await finished(child);
  if (result.code !== 0 || result.stderr.trim() !== '') throw new Error(`ffprobe: ${result.stderr}`);
  return JSON.parse(result.stdout);
}

export type Steps = {
  steps: number;
  smallest: number;
  largest: number /** Packets after the largest step. */;
  afterLargest: number;
};

/** The steps between the decode times of neighbouring packets of one kind, in seconds. */
export function largestStep(probed: Probe, kind: 'video' | 'audio'): Steps {
  const times = probed.packets.filter((packet) => packet.codec_type === kind).map((packet) => Number(packet.dts_time));
  const found: Steps = { steps: times.length - 1, smallest: Number.POSITIVE_INFINITY, largest: 0, afterLargest: 0 };
  for (let i = 1; i < times.length; i++) {
    const step = times[i]! - times[i - 1]!;
    found.smallest = Math.min(found.smallest, step);
    if (step > found.largest) {
      found.largest = step;
      found.afterLargest = times.length - i;
    }
  }
  return found;
}
