import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { StreamsError } from '../../src/core/errors.ts';

/**
 * A secret from a file, or from standard input for `-`: never from the command line, where others see it. Throws CONFIG_INVALID, and USAGE when
 * standard input is a terminal, where it would show.
 */
export async function readSecret(name: string): Promise<string> {
  if (name === '-') {
    if (process.stdin.isTTY) {
      throw new StreamsError('USAGE', 'a secret is awaited on standard input, which is a terminal', {
        hint: 'streams relay-token verify --key root.jwk --in viewer.jwt',
      });
    }
    return (await text(process.stdin)).trim();
  }
  try {
    return (await readFile(name, 'utf8')).trim();
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `${name} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** The key file of sign and verify. Throws USAGE without one. */
export async function readKeyOption(key: string | undefined, verb: string): Promise<string> {
  if (key !== undefined) return readSecret(key);
  throw new StreamsError('USAGE', `${verb} needs a key`, { hint: `streams relay-token ${verb} --key root.jwk` });
}
