import { z } from 'zod';
import { defineOperation } from '../define.ts';
import { orgId } from '../fields.ts';
import { signingKey, viewSigningKey } from './view.ts';

export const signingKeysCreate = defineOperation({
  name: 'signingKeys.create',
  kind: 'mutation',
  summary: 'Create a signing key; new playback tokens are signed with it from now on',
  scope: 'streams:admin',
  input: z.object({
    orgId,
    alg: z.enum(['Ed25519', 'EdDSA', 'RS256']).default('Ed25519').describe('EdDSA means Ed25519'),
    use: z.literal('playback').default('playback'),
  }),
  output: signingKey,
  rest: { method: 'POST', path: '/signing-keys' },
  target: (_input, output) => output.id,
  prepare: ({ context, caller }, { alg }) =>
    context.signingKeys.make(caller.orgId, alg === 'RS256' ? 'RS256' : 'Ed25519', context.now()),
  async run({ context, db, prepared: row }) {
    await db.insertInto('signing_keys').values(row).execute();
    return viewSigningKey(row, context.now());
  },
});
