import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { isActive } from '../../auth/signing-keys.ts';
import { recordEvent } from '../../store/events.ts';
import type { SigningKeyRow } from '../../store/schema.ts';
import { type Call, defineOperation } from '../define.ts';
import { orgId, signingKeyId } from '../fields.ts';
import { findSigningKey, signingKey, viewSigningKey } from './view.ts';

const day = 86_400;

export const signingKeysRotate = defineOperation({
  name: 'signingKeys.rotate',
  kind: 'mutation',
  summary: 'Sign with a new key of the same kind from now on; tokens of the old one work until the overlap is over',
  scope: 'streams:admin',
  input: z.object({
    orgId,
    id: signingKeyId,
    overlapSeconds: z
      .int()
      .min(0)
      .max(90 * day)
      .default(day)
      .describe('One day when left out: as long as a playback token can last'),
  }),
  output: signingKey.describe('The new key'),
  rest: { method: 'POST', path: '/signing-keys/{id}/rotate' },
  target: ({ id }) => id,
  async prepare(call, { id }) {
    const { context, caller } = call;
    // Whether it may be rotated is said by `run`: a request that comes again is answered as it was.
    const old = await keyToRotate(call, id).catch(() => undefined);
    return old && context.signingKeys.make(caller.orgId, old.alg, context.now());
  },
  async run(call, { id, overlapSeconds }) {
    const { context, db, caller, prepared } = call;
    const old = await keyToRotate(call, id);
    const now = context.now();
    const made = prepared ?? (await context.signingKeys.make(caller.orgId, old.alg, now));
    await db.insertInto('signing_keys').values(made).execute();
    const endsAt = Math.min(now + overlapSeconds * 1000, old.deactivated_at ?? Number.POSITIVE_INFINITY);
    await db.updateTable('signing_keys').set({ deactivated_at: endsAt }).where('kid', '=', id).execute();
    const data = { key: 'signing', signingKeyId: made.kid, replaces: id, oldKeyEndsAt: new Date(endsAt).toISOString() };
    await recordEvent(db, { orgId: caller.orgId, type: 'key.rotated', data, now });
    return viewSigningKey(made, now);
  },
});

/** Throws NOT_FOUND, and CONFLICT for a key that has no successor of its kind. */
async function keyToRotate(call: Call, id: string): Promise<SigningKeyRow> {
  const old = await findSigningKey(call, id);
  if (!isActive(old, call.context.now()))
    throw new StreamsError('CONFLICT', `${id} is inactive: create a new key instead`);
  if (old.private_key_sealed === '')
    throw new StreamsError('CONFLICT', `${id} was imported: import its successor, then deactivate it`);
  return old;
}
