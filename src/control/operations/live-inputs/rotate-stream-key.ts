import { z } from 'zod';
import { newKey } from '../../../core/ids.ts';
import { hashSecret } from '../../auth/secrets.ts';
import { endSrtKeys } from '../../auth/srt-passphrase.ts';
import { recordEvent } from '../../store/events.ts';
import { defineOperation } from '../define.ts';
import { inputId, orgId } from '../fields.ts';
import {
  findLiveInput,
  liveInputWithKey,
  publishUrls,
  storeStreamKey,
  viewLiveInput,
  viewPublishUrls,
} from './view.ts';

export const liveInputsRotateStreamKey = defineOperation({
  name: 'liveInputs.rotateStreamKey',
  kind: 'mutation',
  summary: 'Replace the stream key; the old one stops working at once, or after an overlap',
  scope: 'streams:write',
  input: z.object({
    orgId,
    id: inputId,
    overlapSeconds: z
      .int()
      .min(0)
      .max(7 * 86_400)
      .default(0)
      .describe('How long the old key still opens the input; 0 for not at all'),
  }),
  output: liveInputWithKey,
  rest: {
    method: 'POST',
    path: '/live-inputs/{id}/rotate-stream-key',
    adds: { output: publishUrls, from: viewPublishUrls },
  },
  target: ({ id }) => id,
  async run(call, { id, overlapSeconds }) {
    const row = await findLiveInput(call, id);
    const now = call.context.now();
    const endsAt = now + overlapSeconds * 1000;
    const streamKey = newKey('sk_live');
    await call.db
      .updateTable('stream_keys')
      .set({ revoked_at: endsAt })
      .where('input_id', '=', id)
      .where((eb) => eb.or([eb('revoked_at', 'is', null), eb('revoked_at', '>', endsAt)]))
      .execute();
    await endSrtKeys(call.db, { orgId: row.org_id, inputId: id, endsAt });
    await storeStreamKey(call.db, id, hashSecret(streamKey), now);
    const data = { key: 'stream', inputId: id, oldKeyEndsAt: new Date(endsAt).toISOString() };
    await recordEvent(call.db, { orgId: row.org_id, type: 'key.rotated', data, now });
    return { ...viewLiveInput(row), stream_key_cleartext: streamKey };
  },
});
