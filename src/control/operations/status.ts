import { z } from 'zod';
import { defineOperation } from './define.ts';
import { orgId } from './fields.ts';
import { addresses, viewAddresses } from './live-inputs/view.ts';

export const status = defineOperation({
  name: 'server.status',
  kind: 'query',
  summary: 'Where everything listens, and how many inputs are live',
  scope: 'streams:read',
  input: z.object({ orgId }),
  output: z.object({
    issuer: z.string(),
    urls: z.object({
      http: z.string(),
      relay: z.string().optional(),
      rtmp: z.string().optional(),
      rtmps: z.string().optional(),
      srt: z.string().optional(),
    }),
    addresses,
    inputs: z.object({ idle: z.int(), live: z.int(), errored: z.int() }),
  }),
  rest: { method: 'GET', path: '/status' },
  async run({ context, db, caller }) {
    await context.liveness.sweep(db);
    const counts = await db
      .selectFrom('live_inputs')
      .select((eb) => ['status', eb.fn.countAll().as('count')])
      .where('org_id', '=', caller.orgId)
      .groupBy('status')
      .execute();
    const inputs = { idle: 0, live: 0, errored: 0 };
    for (const row of counts) inputs[row.status] = Number(row.count);
    const told = context.endpoints();
    const { publicHttpUrl: http, relayUrl: relay, rtmpUrl: rtmp, rtmpsUrl: rtmps, srtUrl: srt } = told;
    return { issuer: context.issuer, urls: { http, relay, rtmp, rtmps, srt }, ...viewAddresses(context), inputs };
  },
});
