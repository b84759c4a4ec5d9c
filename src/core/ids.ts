import { StreamsError } from './errors.ts';

/**
 * What an id names, by its prefix: org, live input, signing key (its id is the JWT `kid`), asset, playback id, API key (the
 * public id, not the key), request, token (`jti`), audit row, installation, revocation, webhook, event, delivery.
 */
export type IdPrefix =
  | 'org'
  | 'lv'
  | 'rk'
  | 'as'
  | 'pb'
  | 'ak'
  | 'req'
  | 'jti'
  | 'aud'
  | 'ins'
  | 'rev'
  | 'wh'
  | 'evt'
  | 'whd';

/** Secret keys: a stream key opens one input for publishing, an API key opens the HTTP API. */
export type KeyPrefix = 'sk_live' | 'ak_live';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62^22 > 2^128: every 128-bit value fits into 22 digits. */
const randomDigits = 22;
/** 62^6 > 2^32: every CRC32 fits into 6 digits. */
const checksumDigits = 6;
const idBody = /^[0-9A-Za-z]{22}$/;
const keyPattern = /^(sk_live|ak_live)_([0-9A-Za-z]{22})([0-9A-Za-z]{6})$/;

/** The org of an installation that has only one. */
export const localOrgId = 'org_local';

/** `prefix_` and 128 random bits in base62: 22 digits, always. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}_${randomBase62()}`;
}

/**
 * True for exactly the ids `newId(prefix)` makes, and for `org_local`. Whatever comes from a client passes this before it is
 * joined to a path: a matching id holds no separator and no dot.
 */
export function isId(prefix: IdPrefix, text: string): boolean {
  if (prefix === 'org' && text === localOrgId) return true;
  return text.startsWith(`${prefix}_`) && idBody.test(text.slice(prefix.length + 1));
}

/** `text` itself when it is an id of that kind. Throws INVALID_ARGUMENT, without repeating the text. */
export function requireId(prefix: IdPrefix, text: string): string {
  if (!isId(prefix, text)) throw new StreamsError('INVALID_ARGUMENT', `not an id of the form ${prefix}_…`);
  return text;
}

/** `prefix_`, 128 random bits in 22 base62 digits, and the CRC32 of all before it in 6 base62 digits. */
export function newKey(prefix: KeyPrefix): string {
  const body = `${prefix}_${randomBase62()}`;
  return body + checksum(body);
}

/** The kind of a well-formed key, or undefined for anything else: a typo in any place, a cut, a foreign key. Asks no server. */
export function parseKey(text: string): { prefix: KeyPrefix; display: string } | undefined {
  const match = keyPattern.exec(text);
  if (!match) return undefined;
  const body = text.slice(0, -checksumDigits);
  if (checksum(body) !== match[3]) return undefined;
  return { prefix: match[1] as KeyPrefix, display: `${match[1]}_…${text.slice(-4)}` };
}

export function isKey(prefix: KeyPrefix, text: string): boolean {
  return parseKey(text)?.prefix === prefix;
}

function randomBase62(): string {
  let value = 0n;
  for (const byte of globalThis.crypto.getRandomValues(new Uint8Array(16))) value = (value << 8n) | BigInt(byte);
  return base62(value, randomDigits);
}

function base62(value: bigint, digits: number): string {
  let out = '';
  for (let rest = value; out.length < digits; rest /= 62n) out = alphabet[Number(rest % 62n)] + out;
  return out;
}

function checksum(ascii: string): string {
  return base62(BigInt(crc32(ascii)), checksumDigits);
}

/** CRC-32 of ASCII text (ISO 3309, the polynomial of zip and PNG), unsigned. */
export function crc32(ascii: string): number {
  let crc = 0xffffffff;
  for (let i = 0; i < ascii.length; i++) {
    crc ^= ascii.charCodeAt(i) & 0xff;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
