import type { Rung } from './choose-rungs.ts';

/** What one ffmpeg makes: renditions of a picture, or one AAC sound. */
export type TranscodeJob =
  | { readonly kind: 'video'; readonly rungs: readonly Rung[] }
  | { readonly kind: 'audio'; readonly bitrate: number; readonly sampleRate: number; readonly channels: number };

/** The first output's file descriptor in the child. */
export const firstPipe = 3;

/** Until ffmpeg knows the input: bytes, and no time at all, since every frame it waits for is latency. */
const input = [
  ['-hide_banner', '-loglevel', 'warning', '-nostdin', '-copyts', '-protocol_whitelist', 'pipe'],
  ['-probesize', '20000', '-analyzeduration', '0', '-fpsprobesize', '0', '-threads', '1'],
  ['-f', 'matroska', '-i', 'pipe:0'],
].flat();

/**
 * Arguments of an ffmpeg that reads live Matroska from its standard input, decodes it once, and writes FLV to file descriptor 3
 * and up, one output each. Times go through untouched; a keyframe of the source is one of every rung, and no other is.
 */
export function ffmpegArguments(job: TranscodeJob): string[] {
  return job.kind === 'video'
    ? [...input, '-filter_complex', scaleGraph(job.rungs), ...job.rungs.flatMap(videoOutput)]
    : [...input, ...audioOutput(job)];
}

/** Each rung is scaled from the one above it, which costs less than scaling all of them from the source. */
function scaleGraph(rungs: readonly Rung[]): string {
  return rungs
    .map(({ width, height }, i) => {
      const from = i === 0 ? '[0:v:0]' : `[below${i - 1}]`;
      const last = i === rungs.length - 1;
      const scale = `${from}scale=${width}:${height}:flags=bicubic,format=yuv420p`;
      return last ? `${scale}[rung${i}]` : `${scale},split[rung${i}][below${i}]`;
    })
    .join(';');
}

function videoOutput(rung: Rung, i: number): string[] {
  const rate = String(rung.bitrate);
  return [
    ['-map', `[rung${i}]`, '-fps_mode', 'passthrough', '-enc_time_base', '-1'],
    ['-c:v', 'libx264', '-preset', 'superfast', '-tune', 'zerolatency', '-threads', '2'],
    ['-profile:v', 'high', '-level:v', `${Math.floor(rung.level / 10)}.${rung.level % 10}`],
    ['-b:v', rate, '-maxrate', rate, '-bufsize', rate],
    ['-force_key_frames', 'source', '-forced-idr', '1', '-x264-params', 'keyint=infinite:scenecut=0'],
    output(i),
  ].flat();
}

function audioOutput({ bitrate, sampleRate, channels }: Extract<TranscodeJob, { kind: 'audio' }>): string[] {
  return [
    ['-map', '0:a:0', '-c:a', 'aac', '-profile:a', 'aac_low', '-b:a', String(bitrate)],
    ['-ar', String(sampleRate), '-ac', String(channels)],
    output(0),
  ].flat();
}

function output(i: number): string[] {
  return ['-flush_packets', '1', '-flvflags', 'no_duration_filesize', '-f', 'flv', `pipe:${firstPipe + i}`];
}
