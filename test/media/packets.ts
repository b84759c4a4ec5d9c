import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { VodStack } from '../engine/vod/stack.ts';

const run = promisify(execFile);

/** A packet as ffprobe lists it; times in seconds, undefined where it has none. */
export type MediaPacket = {
  kind: 'video' | 'audio';
  pts: number | undefined;
  dts: number | undefined;
  /** K: keyframe; D: to be decoded and not shown. */
  flags: string;
  hash: string;
};

/** ffmpeg with those arguments, quietly. */
export async function ffmpeg(...args: string[]): Promise<void> {
  await run('ffmpeg', ['-y', '-nostdin', '-v', 'error', ...args]);
}

/** The packets of the first video and the first audio of a file, in the order in which they lie there. */
export async function packetsOfFile(file: string): Promise<MediaPacket[]> {
  const entries = 'packet=codec_type,stream_index,pts_time,dts_time,flags,data_hash';
  const args = ['-v', 'error', '-show_data_hash', 'md5', '-show_entries', entries, '-of', 'json', file];
  const { stdout } = await run('ffprobe', args, { maxBuffer: 64 << 20 });
  const found = (JSON.parse(stdout) as { packets: Record<string, string>[] }).packets;
  const first = new Map<string, string>();
  for (const { codec_type: kind, stream_index: stream } of found)
    if (!first.has(kind!)) first.set(kind!, String(stream));
  return found
    .filter(({ codec_type: kind, stream_index: stream }) => first.get(kind!) === String(stream))
    .map(({ codec_type: kind, pts_time: pts, dts_time: dts, flags, data_hash: hash }) => ({
      kind: kind as MediaPacket['kind'],
      pts: pts === undefined ? undefined : Number(pts),
      dts: dts === undefined ? undefined : Number(dts),
      flags: flags!,
      hash: hash!,
    }));
}

export type PackagedAsset = { status: string; error: string | null; durationMs: number; packets: MediaPacket[] };

/** Uploads a file and lists the packets of the CMAF files that are made of it. */
export async function packaged(stack: VodStack, file: string): Promise<PackagedAsset> {
  const headers = { authorization: `Bearer ${stack.control.adminKey}`, 'upload-complete': '?1' };
  const body = await readFile(file);
  const answer = await fetch(`${stack.base}/uploads`, { method: 'POST', headers, body });
  const id = answer.headers.get('location')!.slice('/uploads/'.length);
  const { status, error, durationMs } = await stack.settled(id);
  const folder = join(stack.mediaDir, id);
  const files = status === 'ready' ? (await readdir(folder)).filter((name) => name.endsWith('.cmaf')) : [];
  const packets = (await Promise.all(files.map((name) => packetsOfFile(join(folder, name))))).flat();
  return { status, error, durationMs, packets };
}

export const ofKind = (packets: readonly MediaPacket[], kind: MediaPacket['kind']): MediaPacket[] =>
  packets.filter((packet) => packet.kind === kind);

/**
 * How much further one packet was moved than another, seconds: 0 when all keep their times. Packets are compared one by one;
 * throws when there are more of one kind than of the other.
 */
export function unevenness(source: readonly MediaPacket[], made: readonly MediaPacket[]): number {
  const shifts: number[] = [];
  for (const kind of ['video', 'audio'] as const) {
    const [from, to] = [ofKind(source, kind), ofKind(made, kind)];
    if (from.length !== to.length) throw new Error(`${to.length} ${kind} packets of ${from.length}`);
    from.forEach(({ pts, dts }, i) => {
      if (pts !== undefined) shifts.push(to[i]!.pts! - pts);
      if (dts !== undefined) shifts.push(to[i]!.dts! - dts);
    });
  }
  return Math.max(...shifts) - Math.min(...shifts);
}
