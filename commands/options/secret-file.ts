import { chmod, open, readFile, writeFile } from 'node:fs/promises';
import { StreamsError } from '../../src/core/errors.ts';
import type { OptionSpec } from '../command.ts';

/** Where a secret that is shown once goes instead of the screen. */
export const secretFileOptions = {
  outputFile: { value: 'file', description: 'write the secret into this file (mode 0600) and do not print it' },
  envFile: {
    value: 'file',
    description:
      'set it as a variable in this file of NAME=value lines, which must exist (.env, $GITHUB_ENV; mode 0600), and do not print it',
  },
} as const satisfies Record<string, OptionSpec>;

export type SecretFiles = { outputFile?: string | undefined; envFile?: string | undefined };

/** Makes sure that the secret can be kept before it is made. Throws INVALID_ARGUMENT. */
export async function prepareSecretFiles({ outputFile, envFile }: SecretFiles): Promise<void> {
  for (const path of [outputFile, envFile]) {
    if (path === undefined) continue;
    const handle = await open(path, 'a', 0o600).catch((cause) => {
      throw new StreamsError('INVALID_ARGUMENT', `cannot write ${path}: ${(cause as Error).message}`, { cause });
    });
    await handle.close();
  }
}

/** The first value goes into the output file, all of them into the environment file. Returns where they went. */
export async function keepSecrets(
  { outputFile, envFile }: SecretFiles,
  secret: string,
  variables: Record<string, string>,
): Promise<string[]> {
  if (outputFile !== undefined) await writePrivate(outputFile, `${secret}\n`);
  if (envFile !== undefined) {
    const names = Object.keys(variables);
    const kept = (await readFile(envFile, 'utf8'))
      .split('\n')
      .filter((line) => line !== '' && !names.includes(line.slice(0, line.indexOf('=')).trim()));
    const lines = [...kept, ...Object.entries(variables).map(([name, value]) => `${name}=${value}`)];
    await writePrivate(envFile, `${lines.join('\n')}\n`);
  }
  return [outputFile, envFile].filter((path) => path !== undefined);
}

/** In place: the file may be a link, or watched by whoever made it. */
async function writePrivate(path: string, text: string): Promise<void> {
  await chmod(path, 0o600);
  await writeFile(path, text, { mode: 0o600 });
}
