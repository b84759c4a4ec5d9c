import { z } from 'zod';
import { revoke } from '../../store/revocations.ts';
import { defineOperation } from '../define.ts';
import { assetId, orgId } from '../fields.ts';
import { findAsset } from './view.ts';

export const assetsDelete = defineOperation({
  name: 'assets.delete',
  kind: 'mutation',
  summary: 'Delete an asset; who watches it is cut',
  scope: 'streams:write',
  input: z.object({ orgId, id: assetId }),
  output: z.object({ id: z.string(), deleted: z.literal(true) }),
  rest: { method: 'DELETE', path: '/assets/{id}' },
  target: ({ id }) => id,
  async run(call, { id }) {
    const row = await findAsset(call, id);
    await call.db.deleteFrom('assets').where('id', '=', id).execute();
    const now = call.context.now();
    for (const value of [id, row.playback_id]) await revoke(call.db, { orgId: row.org_id, kind: 'input', value, now });
    return { id, deleted: true as const };
  },
});
