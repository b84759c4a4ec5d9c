import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { isActive } from '../../auth/signing-keys.ts';
import type { SigningKeyRow } from '../../store/schema.ts';
import type { Call } from '../define.ts';
import { isoTime, time } from '../fields.ts';

/** `id` is the JWT `kid`. */
export const signingKey = z.object({
  id: z.string(),
  alg: z.enum(['Ed25519', 'RS256']),
  use: z.literal('playback'),
  publicKeyPem: z.string(),
  status: z.enum(['active', 'inactive']),
  imported: z.boolean().describe('Its private half is not here: tokens are signed elsewhere'),
  createdAt: time,
  endsAt: time.nullable().describe('When its tokens stop working; in the future during a rotation'),
});

export function viewSigningKey(row: SigningKeyRow, now: number): z.input<typeof signingKey> {
  return {
    id: row.kid,
    alg: row.alg,
    use: row.use,
    publicKeyPem: row.public_key_pem,
    status: isActive(row, now) ? 'active' : 'inactive',
    imported: row.private_key_sealed === '',
    createdAt: isoTime(row.created_at),
    endsAt: row.deactivated_at === null ? null : isoTime(row.deactivated_at),
  };
}

/** Throws NOT_FOUND for a key of another org too. */
export async function findSigningKey({ db, caller }: Call, id: string): Promise<SigningKeyRow> {
  const row = await db
    .selectFrom('signing_keys')
    .selectAll()
    .where('kid', '=', id)
    .where('org_id', '=', caller.orgId)
    .executeTakeFirst();
  if (row) return row;
  throw new StreamsError('NOT_FOUND', `there is no signing key ${id}`, { hint: 'List them: streams keys list' });
}
