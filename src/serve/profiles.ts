import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { StreamsError } from '../core/errors.ts';
import { whileLocked } from './file-lock.ts';

export type Profile = { apiUrl: string; apiKey?: string };

export type Profiles = { current?: string; profiles: Record<string, Profile> };

type Env = Readonly<Record<string, string | undefined>>;

/** `STREAMS_CONFIG_DIR`, else `streams` below XDG_CONFIG_HOME or ~/.config. */
export function configDir(env: Env): string {
  if (env.STREAMS_CONFIG_DIR) return env.STREAMS_CONFIG_DIR;
  return join(env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'streams');
}

export function profilesFile(env: Env): string {
  return join(configDir(env), 'profiles.json');
}

/** What is in the profile file; nothing when there is none. Throws CONFIG_INVALID. */
export async function readProfiles(env: Env): Promise<Profiles> {
  const file = profilesFile(env);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { profiles: {} };
    throw new StreamsError('CONFIG_INVALID', `cannot read ${file}`, { cause });
  }
  try {
    return checked(JSON.parse(text));
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `${file} is damaged: it is no profile file. It may still hold API keys`, {
      cause,
      hint: `mend it, or keep it aside: mv ${file} ${file}.damaged`,
    });
  }
}

function checked(value: unknown): Profiles {
  const { current, profiles } = value as { current?: unknown; profiles?: unknown };
  if (typeof profiles !== 'object' || profiles === null) throw new StreamsError('MALFORMED', 'no profiles');
  const out: Profiles = { profiles: {} };
  if (typeof current === 'string') out.current = current;
  for (const [name, profile] of Object.entries(profiles)) {
    const { apiUrl, apiKey } = profile as { apiUrl?: unknown; apiKey?: unknown };
    if (typeof apiUrl !== 'string' || !URL.canParse(apiUrl)) throw new StreamsError('MALFORMED', 'no apiUrl');
    out.profiles[name] = { apiUrl, ...(typeof apiKey === 'string' ? { apiKey } : {}) };
  }
  return out;
}

/** Sets one profile, and makes it the current one when there is none. File 0600, directory 0700, replaced as a whole. */
export async function writeProfile(env: Env, name: string, profile: Profile): Promise<void> {
  await changeProfiles(env, (all) => {
    all.profiles[name] = profile;
    all.current ??= name;
  });
}

/** Makes a profile the current one. Throws NOT_FOUND. */
export async function useProfile(env: Env, name: string): Promise<void> {
  await changeProfiles(env, (all) => {
    if (!Object.hasOwn(all.profiles, name)) {
      throw new StreamsError('NOT_FOUND', `there is no profile "${name}"`, {
        hint:
          Object.keys(all.profiles).length === 0 ? 'streams login' : `one of ${Object.keys(all.profiles).join(', ')}`,
      });
    }
    all.current = name;
  });
}

/** Reads, edits and writes while no other command does. Throws CONFIG_INVALID where the folder cannot be written. */
async function changeProfiles(env: Env, edit: (all: Profiles) => void): Promise<void> {
  try {
    await whileLocked(profilesFile(env), async () => {
      const all = await readProfiles(env);
      edit(all);
      await writeProfiles(env, all);
    });
  } catch (cause) {
    if (cause instanceof StreamsError) throw cause;
    throw new StreamsError('CONFIG_INVALID', `cannot write ${profilesFile(env)}: ${(cause as Error).message}`, {
      cause,
      hint: 'set STREAMS_CONFIG_DIR to a folder that can be written',
    });
  }
}

async function writeProfiles(env: Env, all: Profiles): Promise<void> {
  const file = profilesFile(env);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  await writeFile(draft, `${JSON.stringify(all, null, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
}
