import { findFfmpeg } from '../engine/transcode/find-ffmpeg.ts';

/** The ffmpeg that an engine with this environment uses; undefined: none, and it passes every input through. */
export function engineFfmpeg(env: Readonly<Record<string, string | undefined>>): string | undefined {
  return findFfmpeg(env);
}
