import { spawn } from 'node:child_process';
import { FlvReader, type FlvTag } from '../../../codec/flv/flv-reader.ts';

const picture = 'testsrc2=size=960x540:rate=30';
const clock =
  "drawtext=text='%{localtime\\:%H\\\\\\:%M\\\\\\:%S}':fontsize=64:fontcolor=white:box=1:boxcolor=black@0.6:x=(w-tw)/2:y=h-th-40";

/** Arguments of an ffmpeg that writes a live test picture with a tone as FLV to its standard output. */
export function testPictureArguments(withClock: boolean): string[] {
  return [
    ['-hide_banner', '-loglevel', 'error', '-nostdin'],
    ['-re', '-f', 'lavfi', '-i', withClock ? `${picture},${clock}` : picture],
    ['-re', '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'],
    ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-profile:v', 'main', '-pix_fmt', 'yuv420p'],
    ['-g', '30', '-b:v', '1500k', '-maxrate', '1500k', '-bufsize', '1500k', '-threads', '1'],
    ['-af', 'volume=0.2', '-ac', '2', '-c:a', 'aac', '-b:a', '96k'],
    ['-flush_packets', '1', '-flvflags', 'no_duration_filesize', '-f', 'flv', 'pipe:1'],
  ].flat();
}

/** Runs it. `ended` is called once, unless stopped before, with what ffmpeg last said. Returns how to stop: ffmpeg is killed. */
export function playTestPicture(
  ffmpeg: string,
  withClock: boolean,
  on: { tag(tag: FlvTag): void; ended(lastWords: string): void },
): () => void {
  const child = spawn(ffmpeg, testPictureArguments(withClock), { stdio: ['ignore', 'pipe', 'pipe'] });
  const reader = new FlvReader();
  let lastWords = '';
  let over = false;
  const end = (words: string): void => {
    if (over) return;
    over = true;
    child.kill('SIGKILL');
    on.ended(words.trim().slice(-400));
  };
  child.stderr.on('data', (bytes: Buffer) => {
    lastWords = (lastWords + bytes.toString()).slice(-1000);
  });
  child.stdout.on('data', (bytes: Buffer) => {
    if (over) return;
    try {
      for (const tag of reader.push(bytes)) on.tag(tag);
    } catch (error) {
      end(error instanceof Error ? error.message : String(error));
    }
  });
  child.on('error', (error) => end(error.message));
  child.on('close', () => end(lastWords));
  return () => {
    over = true;
    child.kill('SIGKILL');
  };
}
