import { delimiter, dirname, join } from 'node:path';
import { findFfmpeg, isExecutable } from '../../transcode/find-ffmpeg.ts';

export type FfmpegPrograms = { readonly ffmpeg: string; readonly ffprobe: string };

/** ffmpeg, and the ffprobe beside it or on PATH; undefined unless both are there. */
export function findFfmpegPrograms(env: NodeJS.ProcessEnv = process.env): FfmpegPrograms | undefined {
  const ffmpeg = findFfmpeg(env);
  if (ffmpeg === undefined) return undefined;
  const folders = [dirname(ffmpeg), ...(env.PATH ?? '').split(delimiter)];
  const ffprobe = folders.map((folder) => join(folder, 'ffprobe')).find(isExecutable);
  return ffprobe === undefined ? undefined : { ffmpeg, ffprobe };
}
