import { StreamsError } from '../../core/errors.ts';

const maxCatalogBytes = 1 << 20;

/** Throws LIMIT_EXCEEDED for more than a catalog may have: 1 MiB. */
export function bounded(bytes: Uint8Array): Uint8Array {
  if (bytes.length <= maxCatalogBytes) return bytes;
  throw new StreamsError('LIMIT_EXCEEDED', `a catalog of ${bytes.length} bytes`);
}

/** Throws MALFORMED. `what` names it. */
export function parseJsonObject(json: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new StreamsError('MALFORMED', `${what}: not JSON`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new StreamsError('MALFORMED', `${what}: not an object`);
}
