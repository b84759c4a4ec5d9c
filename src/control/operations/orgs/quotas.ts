import { z } from 'zod';
import { StreamsError } from '../../../core/errors.ts';
import { localOrgId } from '../../../core/ids.ts';
import { type defaultQuotas, quotaNames, quotasOf, setQuotas, usedOf } from '../../quotas.ts';
import { type Call, defineOperation } from '../define.ts';
import { orgId } from '../fields.ts';

const forOrg = z.string().max(64).optional().describe('Another org than the own one; only for keys of the local org');
const numbers = z.object(
  Object.fromEntries(quotaNames.map((name) => [name, z.number()])) as Record<keyof typeof defaultQuotas, z.ZodNumber>,
);
const quotas = z.object({
  id: z.string().describe('The org'),
  quotas: numbers.describe('What it may have'),
  used: numbers.omit({ tokensPerMinute: true }).describe('What it has'),
});
const most = z.int().min(0).nullable().optional();

export const orgsQuotas = defineOperation({
  name: 'orgs.quotas',
  kind: 'query',
  long: true,
  summary: 'How much an org may have, and has',
  scope: 'streams:read',
  input: z.object({ orgId, forOrg }),
  output: quotas,
  rest: { method: 'GET', path: '/org/quotas' },
  async run(call, { forOrg = call.caller.orgId }) {
    if (forOrg !== call.caller.orgId) await requireKnown(call, forOrg);
    return view(call, forOrg);
  },
});

export const orgsSetQuotas = defineOperation({
  name: 'orgs.setQuotas',
  kind: 'mutation',
  summary:
    'Set how much an org may have; null: the default. Only for keys of the local org, which runs the installation',
  scope: 'streams:admin',
  input: z.object({
    orgId,
    forOrg,
    inputs: most,
    assets: most,
    unfinishedUploads: most.describe('Assets that wait for their media'),
    unfinishedBytes: most.describe('Bytes that unfinished uploads will have'),
    webhooks: most,
    tokensPerMinute: z.int().min(1).max(1_000_000).nullable().optional().describe('Playback tokens minted'),
  }),
  output: quotas,
  rest: { method: 'PATCH', path: '/org/quotas' },
  target: (_input, output) => output.id,
  async run(call, { forOrg = call.caller.orgId, orgId: _own, ...changes }) {
    await requireKnown(call, forOrg);
    await setQuotas(call.db, forOrg, changes);
    return view(call, forOrg);
  },
});

/** Throws FORBIDDEN to all but the local org, and NOT_FOUND. */
async function requireKnown({ db, caller }: Call, id: string): Promise<void> {
  if (caller.orgId !== localOrgId)
    throw new StreamsError('FORBIDDEN', 'only the local org, which runs the installation, has a say in quotas');
  const row = await db.selectFrom('orgs').select('id').where('id', '=', id).executeTakeFirst();
  if (row === undefined) throw new StreamsError('NOT_FOUND', 'there is no such org', { hint: 'GET /v1/orgs' });
}

async function view({ db }: Call, id: string): Promise<z.input<typeof quotas>> {
  return { id, quotas: await quotasOf(db, id), used: await usedOf(db, id) };
}
