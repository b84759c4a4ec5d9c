import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** The encoder of the live benches needs it: throws in words where it is missing. */
export function needFfmpeg(): void {
  if (spawnSync('ffmpeg', ['-version'], { stdio: 'ignore' }).error !== undefined)
    throw new Error('the bench needs ffmpeg: apt-get install -y ffmpeg');
}

/** Test picture and tone in real time: `size` at 30 fps, 2.5 Mbit/s, a keyframe a second. */
export function startEncoder(rtmpUrl: string, size: string): { stop(): Promise<void> } {
  const encoder: ChildProcess = spawn(
    'ffmpeg',
    // biome-ignore format: one option a line says less
    ['-hide_banner', '-loglevel', 'error', '-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`, '-f', 'lavfi', '-i', 'sine=sample_rate=48000',
     '-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '30', '-b:v', '2500k', '-maxrate', '2500k', '-bufsize', '2500k',
     '-c:a', 'aac', '-b:a', '96k', '-f', 'flv', rtmpUrl],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return {
    async stop() {
      encoder.kill('SIGKILL');
      await once(encoder, 'close');
    },
  };
}
