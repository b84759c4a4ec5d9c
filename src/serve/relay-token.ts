import { randomBytes } from 'node:crypto';
import { chmod, link, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateKey, type KeyRequest } from '../access/relay-token/generate.ts';
import {
  parseKey,
  publicHalf,
  type RelayAlgorithm,
  type RelayKey,
  relayAlgorithms,
} from '../access/relay-token/key.ts';
import { showPattern } from '../access/relay-token/paths.ts';
import { signToken, type TokenRequest, verifyToken } from '../access/relay-token/token.ts';
import { StreamsError } from '../core/errors.ts';

export { type RelayAlgorithm, relayAlgorithms };

/** A file, or a folder in which the file is called `{kid}.jwk`. */
export type KeyPlace = { readonly file: string } | { readonly folder: string };

export type KeyFiles = {
  readonly kid: string;
  readonly algorithm: RelayAlgorithm;
  /** The whole key as JSON: a secret. */
  readonly key: string;
  readonly keyFile: string | undefined;
  readonly publicFile: string | undefined;
};

/**
 * A new key and, where asked for, its files: the whole one readable by its owner alone. Throws CONFLICT when a file exists
 * and `replace` is not set, INVALID_ARGUMENT for the public half of a secret, CONFIG_INVALID.
 */
export async function createRelayKey(
  request: KeyRequest & { readonly to?: KeyPlace; readonly publicTo?: KeyPlace; readonly replace?: boolean },
): Promise<KeyFiles> {
  const key = await generateKey(request);
  const { to, publicTo, replace = false } = request;
  const half = publicTo === undefined ? undefined : publicHalf(key);
  const keyFile = to && pathOf(to, key);
  const publicFile = publicTo && pathOf(publicTo, key);
  if (keyFile !== undefined) await writeKey(keyFile, jsonOf(key), 0o600, replace);
  if (publicFile !== undefined && half !== undefined) await writeKey(publicFile, jsonOf(half), 0o644, replace);
  return { kid: key.kid!, algorithm: key.alg, key: jsonOf(key), keyFile, publicFile };
}

/** Throws CONFIG_INVALID for the key; INVALID_ARGUMENT, TOKEN_INVALID for the request. */
export function signRelayToken(keyText: string, request: TokenRequest): Promise<string> {
  return signToken(parseKey(keyText), request);
}

export type VerifiedToken = {
  readonly root: string;
  /** Whole: the root is in them. */
  readonly publish: readonly string[];
  readonly subscribe: readonly string[];
  /** ISO 8601. */
  readonly expiresAt: string | undefined;
  /** For a relay of the cluster. */
  readonly cluster: boolean;
};

/** Throws TOKEN_INVALID, TOKEN_EXPIRED; CONFIG_INVALID for the key. */
export async function verifyRelayToken(keyText: string, token: string): Promise<VerifiedToken> {
  const { root, publish, subscribe, expiresAt, cluster = false } = await verifyToken(parseKey(keyText), token);
  return {
    root: root.join('/'),
    publish: publish.map(showPattern),
    subscribe: subscribe.map(showPattern),
    cluster,
    expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt * 1000).toISOString(),
  };
}

/** A token as a file of its owner. Throws CONFIG_INVALID. */
export async function writeSecret(file: string, text: string): Promise<void> {
  await writeKey(file, text, 0o600, true);
}

function jsonOf(key: RelayKey): string {
  return `${JSON.stringify(key.jwk, null, 2)}\n`;
}

function pathOf(place: KeyPlace, key: RelayKey): string {
  return 'file' in place ? place.file : join(place.folder, `${key.kid}.jwk`);
}

/** Never half written, never readable by others on the way. */
async function writeKey(file: string, text: string, mode: number, replace: boolean): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
    await chmod(temporary, mode);
    if (replace) await rename(temporary, file);
    else await link(temporary, file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new StreamsError('CONFLICT', `${file} exists already`, { cause, hint: 'choose another name, or --force' });
    }
    throw new StreamsError('CONFIG_INVALID', `${file} cannot be written: ${(cause as Error).message}`, { cause });
  } finally {
    await rm(temporary, { force: true });
  }
}
