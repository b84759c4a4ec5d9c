import { newId, newKey } from '../../core/ids.ts';
import type { Scope } from '../context.ts';
import type { ApiKeyRow } from '../store/schema.ts';
import { hashSecret } from './secrets.ts';

/** A new API key and its row, not yet stored. Times are milliseconds since the Unix epoch. */
export function makeApiKey(wanted: {
  orgId: string;
  name: string;
  scopes: readonly Scope[];
  now: number;
  expiresAt: number | null;
}): { row: ApiKeyRow; cleartext: string } {
  const cleartext = newKey('ak_live');
  const row: ApiKeyRow = {
    id: newId('ak'),
    org_id: wanted.orgId,
    name: wanted.name,
    hash: hashSecret(cleartext),
    scopes: JSON.stringify([...new Set(wanted.scopes)]),
    created_at: wanted.now,
    expires_at: wanted.expiresAt,
    revoked_at: null,
    last_used_at: null,
  };
  return { row, cleartext };
}
