import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StreamsError } from '../../core/errors.ts';
import { kidPattern, parseKey, type RelayKey } from './key.ts';

/** Where the keys of relay tokens are. */
export interface KeySource {
  /**
   * The key a token names in its header. Throws TOKEN_INVALID (there is no such key), CONFIG_INVALID (it cannot be used) or
   * API_UNREACHABLE (it cannot be had now).
   */
  find(kid: string | undefined): Promise<RelayKey>;
}

const timeoutMs = 5000;
const maxKeyBytes = 64 << 10;
/** A key is read again after this long: files are cheap, servers less so. */
const fileFreshMs = 1000;
const urlFreshMs = 10_000;
const maxKept = 1000;

/**
 * One key for all tokens (`file`: path or http(s) URL of a JWK), or `{kid}.jwk` in a folder or below a URL (`folder`). Throws
 * CONFIG_INVALID when a file or folder is not there, or the file is no key.
 */
export async function openKeySource(
  where: { readonly file: string } | { readonly folder: string },
): Promise<KeySource> {
  if ('file' in where) {
    const { file } = where;
    if (isUrl(file)) return new Keys(() => file, fetchKey, urlFreshMs);
    parseKey(await readConfigured(file));
    return new Keys(() => file, readKey, fileFreshMs);
  }
  const { folder } = where;
  const named = (kid: string | undefined): string => {
    if (kid === undefined) throw refused('the token names no key (kid)');
    if (!kidPattern.test(kid)) throw refused('the token names no possible key (kid)');
    return `${kid}.jwk`;
  };
  if (isUrl(folder)) {
    const base = new URL(folder);
    if (!base.pathname.endsWith('/')) base.pathname += '/';
    return new Keys((kid) => new URL(named(kid), base).href, fetchKey, urlFreshMs);
  }
  const isFolder = await stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) throw new StreamsError('CONFIG_INVALID', `${folder} is not a folder of keys`);
  return new Keys((kid) => join(folder, named(kid)), readKey, fileFreshMs);
}

/** Keeps what was read for a while, so that a crowd of viewers does not read it once each. */
class Keys implements KeySource {
  readonly #locate: (kid: string | undefined) => string;
  readonly #read: (location: string) => Promise<RelayKey>;
  readonly #freshMs: number;
  readonly #kept = new Map<string, { readonly key: Promise<RelayKey>; readonly until: number }>();

  constructor(
    locate: (kid: string | undefined) => string,
    read: (location: string) => Promise<RelayKey>,
    freshMs: number,
  ) {
    this.#locate = locate;
    this.#read = read;
    this.#freshMs = freshMs;
  }

  async find(kid: string | undefined): Promise<RelayKey> {
    const location = this.#locate(kid);
    const now = performance.now();
    const kept = this.#kept.get(location);
    if (kept !== undefined && kept.until > now) return kept.key;
    const key = this.#read(location);
    this.#kept.delete(location);
    this.#kept.set(location, { key, until: now + this.#freshMs });
    if (this.#kept.size > maxKept) this.#kept.delete(this.#kept.keys().next().value!);
    // What failed is asked for again at once.
    key.catch(() => {
      if (this.#kept.get(location)?.key === key) this.#kept.delete(location);
    });
    return key;
  }
}

function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

async function readConfigured(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `the key file ${file} cannot be read`, {
      cause,
      hint: `streams relay-token generate --out ${file}`,
    });
  }
}

async function readKey(file: string): Promise<RelayKey> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch {
    throw refused('the key of the token is not known here');
  }
  return parseKey(text);
}

async function fetchKey(url: string): Promise<RelayKey> {
  let text: string;
  try {
    const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(timeoutMs) });
    if (response.status === 404) throw refused('the key of the token is not known here');
    if (!response.ok) throw new StreamsError('API_UNREACHABLE', `the key server answered ${response.status}`);
    text = await bounded(response);
  } catch (cause) {
    if (cause instanceof StreamsError) throw cause;
    throw new StreamsError('API_UNREACHABLE', 'the key server does not answer', { cause });
  }
  return parseKey(text);
}

async function bounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxKeyBytes) throw new StreamsError('LIMIT_EXCEEDED', 'the key server answered too much');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function refused(reason: string): StreamsError {
  return new StreamsError('TOKEN_INVALID', reason);
}
