import { z } from 'zod';
import type { Scope } from '../../context.ts';
import type { ApiKeyRow } from '../../store/schema.ts';
import { isoTime, scope, time } from '../fields.ts';

export const apiKey = z.object({
  id: z.string(),
  name: z.string(),
  scopes: z.array(scope),
  createdAt: time,
  expiresAt: time.nullable(),
  revokedAt: time.nullable(),
  lastUsedAt: time.nullable().describe('To the minute'),
});

export function viewApiKey(row: ApiKeyRow): z.input<typeof apiKey> {
  return {
    id: row.id,
    name: row.name,
    scopes: JSON.parse(row.scopes) as Scope[],
    createdAt: isoTime(row.created_at),
    expiresAt: maybeTime(row.expires_at),
    revokedAt: maybeTime(row.revoked_at),
    lastUsedAt: maybeTime(row.last_used_at),
  };
}

function maybeTime(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}
