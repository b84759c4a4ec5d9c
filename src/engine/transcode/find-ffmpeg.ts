import { accessSync, constants, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';

/**
 * The ffmpeg to use: STREAMS_FFMPEG (a path, or a name on PATH; empty means none), else the one of the package
 * `ffmpeg-static` when it was installed with its file, else the first on PATH. undefined: none. What STREAMS_FFMPEG names is
 * not replaced by another one.
 */
export function findFfmpeg(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const named = env.STREAMS_FFMPEG;
  if (named !== undefined) {
    if (/[\\/]/.test(named)) return isExecutable(named) ? named : undefined;
    return named === '' ? undefined : onPath(named, env);
  }
  const shipped = ffmpegStatic();
  if (shipped !== undefined && isExecutable(shipped)) return shipped;
  return onPath(process.platform === 'win32' ? 'ffmpeg.exe' : 'ffmpeg', env);
}

function onPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  return (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

/** The package answers a path whether or not its file was downloaded. */
function ffmpegStatic(): string | undefined {
  try {
    const path: unknown = createRequire(import.meta.url)('ffmpeg-static');
    return typeof path === 'string' ? path : undefined;
  } catch {
    return undefined;
  }
}

/** A file that this process may run; folders are none. */
export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
