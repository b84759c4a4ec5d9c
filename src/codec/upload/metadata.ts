import { StreamsError } from '../../core/errors.ts';

const maxHeaderLength = 8192;
const maxPairs = 32;

/**
 * `Upload-Metadata` of tus 1.0: comma-separated `key base64(value)`. At most 32 pairs in 8 KiB; values that are not UTF-8 keep
 * replacement characters. Throws MALFORMED.
 */
export function readUploadMetadata(header: string | undefined): Map<string, string> {
  const found = new Map<string, string>();
  if (header === undefined || header.trim() === '') return found;
  if (header.length > maxHeaderLength) throw malformed('is too long');
  const pairs = header.split(',');
  if (pairs.length > maxPairs) throw malformed('has too many keys');
  for (const pair of pairs) {
    const [key = '', value = '', ...rest] = pair.trim().split(/ +/);
    if (!/^[\x21-\x7e]+$/.test(key) || rest.length > 0) throw malformed('is not a list of keys and values');
    if (found.has(key)) throw malformed('names a key twice');
    found.set(key, fromBase64(value));
  }
  return found;
}

/** The `filename` of a Content-Disposition (RFC 6266), `filename*` first; undefined where there is none. */
export function readFilename(header: string | undefined): string | undefined {
  if (header === undefined || header.length > maxHeaderLength) return undefined;
  const extended = /;\s*filename\*\s*=\s*UTF-8'[^']*'([^;\s]+)/i.exec(header)?.[1];
  if (extended !== undefined) {
    try {
      return decodeURIComponent(extended);
    } catch {
      return undefined;
    }
  }
  const [, quoted, bare] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s"]+))/i.exec(header) ?? [];
  return quoted?.replace(/\\(.)/g, '$1') ?? bare;
}

function fromBase64(text: string): string {
  if (!/^[0-9A-Za-z+/]*={0,2}$/.test(text)) throw malformed('holds a value that is not base64');
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    throw malformed('holds a value that is not base64');
  }
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

function malformed(what: string): StreamsError {
  return new StreamsError('MALFORMED', `Upload-Metadata ${what}`);
}
