import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { newId } from '../../../core/ids.ts';
import { requireRoom } from '../../quotas.ts';
import { eventTypes } from '../../store/event-types.ts';
import { requireWebhookUrl } from '../../webhooks/send.ts';
import { defineOperation } from '../define.ts';
import { orgId } from '../fields.ts';
import { viewWebhook, webhook } from './view.ts';

export const webhooksCreate = defineOperation({
  name: 'webhooks.create',
  kind: 'mutation',
  summary: 'Register an address that events are posted to, signed with a secret that is shown once',
  scope: 'streams:admin',
  input: z.object({
    orgId,
    url: z.string().max(2048).describe('http or https; private network addresses are refused'),
    events: z
      .array(z.enum(eventTypes))
      .min(1)
      .max(32)
      .default([...eventTypes]),
  }),
  output: webhook.extend({
    secret_cleartext: z.string().describe('Shown this once: the key of the HMAC in streams-signature'),
  }),
  rest: { method: 'POST', path: '/webhooks' },
  target: (_input, output) => output.id,
  async run({ context, db, caller }, { url, events }) {
    await requireRoom(db, caller.orgId, 'webhooks');
    const id = newId('wh');
    const secret = `whsec_${randomBytes(32).toString('base64url')}`;
    const row = {
      id,
      org_id: caller.orgId,
      url: requireWebhookUrl(url, context.allowPrivateWebhooks),
      events: JSON.stringify([...new Set(events)]),
      secret_sealed: context.vault.seal(id, secret),
      created_at: context.now(),
      failing_since: null,
      failures: 0,
      disabled_at: null,
    };
    await db.insertInto('webhooks').values(row).execute();
    return { ...viewWebhook(row), secret_cleartext: secret };
  },
});
