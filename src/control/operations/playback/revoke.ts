import { z } from 'zod';
import { isId } from '../../../core/ids.ts';
import { revoke } from '../../store/revocations.ts';
import { defineOperation } from '../define.ts';
import { orgId, viewerId } from '../fields.ts';
import { revocation, viewRevocation } from './revocation-view.ts';

const playable = (id: string) => isId('lv', id) || isId('as', id) || isId('pb', id);

export const playbackRevoke = defineOperation({
  name: 'playback.revoke',
  kind: 'mutation',
  summary:
    'Revoke playback tokens issued until now: one by its id, or all of a viewer or an input; viewers are cut within 2 s',
  scope: 'streams:write',
  input: z
    .object({
      orgId,
      jti: z.string().min(1).max(256).optional().describe('Id of one token'),
      viewerId: viewerId.optional().describe('All tokens of this viewer'),
      inputId: z
        .string()
        .refine(playable, 'not an id of a live input or asset')
        .optional()
        .describe('All tokens of it'),
    })
    .refine(
      ({ jti, viewerId, inputId }) => [jti, viewerId, inputId].filter((given) => given !== undefined).length === 1,
      'give exactly one of jti, viewerId, inputId',
    ),
  output: revocation,
  rest: { method: 'POST', path: '/playback/revocations' },
  target: (_input, output) => output.id,
  async run({ context, db, caller }, { jti, viewerId, inputId }) {
    const kind = jti !== undefined ? 'jti' : viewerId !== undefined ? 'viewer' : 'input';
    const value = jti ?? viewerId ?? inputId!;
    return viewRevocation(await revoke(db, { orgId: caller.orgId, kind, value, now: context.now() }));
  },
});
