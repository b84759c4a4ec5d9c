import { z } from 'zod';
import { importPublicKey } from '../../auth/signing-keys.ts';
import { defineOperation } from '../define.ts';
import { orgId } from '../fields.ts';
import { signingKey, viewSigningKey } from './view.ts';

export const signingKeysImport = defineOperation({
  name: 'signingKeys.import',
  kind: 'mutation',
  summary: 'Import a public key: playback tokens signed elsewhere with its private half, naming this `kid`, are good',
  scope: 'streams:admin',
  input: z.object({
    orgId,
    publicKeyPem: z.string().max(16_384).describe('SubjectPublicKeyInfo: Ed25519, or RSA of 2048 bits or more'),
  }),
  output: signingKey,
  rest: { method: 'POST', path: '/signing-keys/import' },
  target: (_input, output) => output.id,
  async run({ context, db, caller }, { publicKeyPem }) {
    const row = importPublicKey(caller.orgId, publicKeyPem, context.now());
    await db.insertInto('signing_keys').values(row).execute();
    return viewSigningKey(row, context.now());
  },
});
