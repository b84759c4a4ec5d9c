import { z } from 'zod';
import { makeApiKey } from '../../auth/api-key.ts';
import { defineOperation } from '../define.ts';
import { name, orgId, scope } from '../fields.ts';
import { apiKey, viewApiKey } from './view.ts';

export const apiKeysCreate = defineOperation({
  name: 'apiKeys.create',
  kind: 'mutation',
  summary: 'Create an API key',
  scope: 'streams:admin',
  input: z.object({
    orgId,
    name,
    scopes: z.array(scope).min(1).max(8).default(['streams:read']),
    expiresInSeconds: z
      .int()
      .min(60)
      .max(10 * 365 * 86_400)
      .optional()
      .describe('Never expires when left out'),
  }),
  output: apiKey.extend({ api_key_cleartext: z.string().describe('Shown this once; the server keeps a hash') }),
  rest: { method: 'POST', path: '/api-keys' },
  target: (_input, output) => output.id,
  async run({ context, db, caller }, { name, scopes, expiresInSeconds }) {
    const now = context.now();
    const { row, cleartext } = makeApiKey({
      orgId: caller.orgId,
      name,
      scopes,
      now,
      expiresAt: expiresInSeconds === undefined ? null : now + expiresInSeconds * 1000,
    });
    await db.insertInto('api_keys').values(row).execute();
    return { ...viewApiKey(row), api_key_cleartext: cleartext };
  },
});
