import { spawnSync } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../harness.ts';

/** A file that ffmpeg makes of its test picture and a tone. */
export async function clip(name: string, seconds: number, args: readonly string[]): Promise<Buffer> {
  const file = join(tmpdir(), `streams-${process.pid}-${name}`);
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30'];
  const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'];
  const made = spawnSync('ffmpeg', ['-y', '-v', 'error', ...picture, ...tone, '-t', String(seconds), ...args, file]);
  if (made.status !== 0) throw new Error(`ffmpeg: ${made.stderr ?? made.error}`);
  try {
    return await readFile(file);
  } finally {
    await rm(file, { force: true });
  }
}

// biome-ignore format: one option a line says less
export const h264AndAac = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '30', '-bf', '2', '-pix_fmt', 'yuv420p', '-c:a', 'aac'];

export type Packet = { codec_type: string; pts_time: string; data_hash: string };

/** ffprobe's packets of a file or playlist, with their hashes; throws with its words when it does not accept it. */
export async function packetsOf(url: string): Promise<Packet[]> {
  const args = ['-v', 'error', '-show_packets', '-show_data_hash', 'md5', '-of', 'json', url];
  const { code, stdout, stderr } = await run('ffprobe', args);
  if (code !== 0) throw new Error(`ffprobe: ${stderr}`);
  return JSON.parse(stdout).packets;
}

/** As `packetsOf`, of bytes. */
export async function packetsOfBytes(bytes: Buffer): Promise<Packet[]> {
  const file = join(tmpdir(), `streams-${process.pid}-probe`);
  await writeFile(file, bytes);
  try {
    return await packetsOf(file);
  } finally {
    await rm(file, { force: true });
  }
}
