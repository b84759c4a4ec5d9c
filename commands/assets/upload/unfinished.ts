import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileLock, takeLock, whileLocked } from '../../../src/serve/file-lock.ts';
import { configDir } from '../../../src/serve/profiles.ts';

type Unfinished = Record<string, { url: string; at: string }>;

/** Servers throw away what is not finished; what is older than this is not worth trying. */
const maxAgeMs = 7 * 86_400_000;

/** Uploads that were begun and not finished, by what identifies the file and the server: `uploads.json` (0600) beside the profiles. */
export function unfinishedUploads(env: NodeJS.ProcessEnv): {
  find(key: string): Promise<string | undefined>;
  keep(key: string, url: string): Promise<void>;
  forget(key: string): Promise<void>;
  /** Held by the command that uploads the file; undefined while another one is at it. */
  alone(key: string): Promise<FileLock | undefined>;
} {
  const file = join(configDir(env), 'uploads.json');
  const read = async (): Promise<Unfinished> => {
    try {
      const all = JSON.parse(await readFile(file, 'utf8')) as Unfinished;
      return Object.fromEntries(
        Object.entries(all).filter(
          ([, { url, at }]) => typeof url === 'string' && Date.now() - Date.parse(at) < maxAgeMs,
        ),
      );
    } catch {
      // A lost note costs one upload from the beginning, no more.
      return {};
    }
  };
  const write = async (all: Unfinished) => {
    await mkdir(configDir(env), { recursive: true, mode: 0o700 });
    const draft = `${file}.${process.pid}`;
    await writeFile(draft, JSON.stringify(all), { mode: 0o600 });
    await rename(draft, file);
  };
  /** Other commands have uploads of their own. */
  const change = async (edit: (all: Unfinished) => void) => {
    await mkdir(configDir(env), { recursive: true, mode: 0o700 });
    await whileLocked(file, async () => {
      const all = await read();
      edit(all);
      await write(all);
    });
  };
  return {
    find: async (key) => (await read())[key]?.url,
    keep: (key, url) =>
      change((all) => {
        all[key] = { url, at: new Date().toISOString() };
      }),
    async forget(key) {
      if ((await read())[key] === undefined) return;
      await change((all) => {
        delete all[key];
      });
    },
    alone: (key) => takeLock(join(configDir(env), 'uploads', `${key}.lock`), 0),
  };
}
