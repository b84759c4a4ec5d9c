import { z } from 'zod';
import type { SigningKeyRow } from '../store/schema.ts';
import { isoTime, time } from './fields.ts';

/** `id` is the JWT `kid`. */
export const signingKey = z.object({
  id: z.string(),
  alg: z.enum(['Ed25519', 'RS256']),
  use: z.literal('playback'),
  publicKeyPem: z.string(),
  status: z.enum(['active', 'inactive']),
  createdAt: time,
});

export function viewSigningKey(row: SigningKeyRow): z.input<typeof signingKey> {
  return {
    id: row.kid,
    alg: row.alg,
    use: row.use,
    publicKeyPem: row.public_key_pem,
    status: row.status,
    createdAt: isoTime(row.created_at),
  };
}
