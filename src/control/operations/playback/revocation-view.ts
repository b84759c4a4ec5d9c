import { z } from 'zod';
import type { RevocationRow } from '../../store/schema.ts';
import { isoTime, time } from '../fields.ts';

export const revocation = z.object({
  id: z.string(),
  kind: z
    .enum(['jti', 'viewer', 'input', 'publish'])
    .describe('publish: sessions that publish, cut by disable or delete'),
  value: z.string(),
  createdAt: time.describe('What was issued until then is revoked'),
  expiresAt: time.describe('From then on no such token could be good anyway'),
});

export function viewRevocation(row: RevocationRow): z.input<typeof revocation> {
  return {
    id: row.id,
    kind: row.kind,
    value: row.value,
    createdAt: isoTime(row.at),
    expiresAt: isoTime(row.expires_at),
  };
}
