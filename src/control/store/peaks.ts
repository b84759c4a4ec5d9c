import { sql } from 'kysely';
import type { Db } from './schema.ts';

/** Times are milliseconds since the Unix epoch; steps of `step` ms from `start` until `end`. */
export type Window = { orgId: string; inputId?: string | undefined; start: number; end: number; step: number };

/**
 * The most viewer sessions at once in each step. A session covers both of its ends; one that goes on ends where it was heard of last.
 * The store counts: only one row a step comes out of it, however many sessions there are.
 */
export async function peaks(db: Db, { orgId, inputId, start, end, step }: Window): Promise<number[]> {
  const stepOf = sql`(at - ${sql.lit(start)}) / ${sql.lit(step)}`;
  const ofInput = inputId === undefined ? sql`` : sql`and input_id = ${inputId}`;
  const { rows } = await sql<{ step: number; most: number; net: number }>`
    with spans as (
      select started_at as began, coalesce(ended_at, updated_at) as ended from viewer_sessions
      where org_id = ${orgId} and updated_at >= ${start} and started_at < ${end} ${ofInput}
    ), changes as (
      select case when began < ${sql.lit(start)} then ${sql.lit(start)} else began end as at, 1 as change from spans
      where ended >= began and ended >= ${start}
      union all
      select ended as at, -1 as change from spans where ended >= began and ended >= ${start} and ended < ${end}
    ), counted as (
      select at, change, sum(change) over (order by at, change desc rows unbounded preceding) as viewers from changes
    )
    select ${stepOf} as step, max(viewers) as most, sum(change) as net from counted group by 1`.execute(db);
  const found = new Map(
    rows.map(({ step: number, most, net }) => [Number(number), { most: Number(most), net: Number(net) }]),
  );
  const result: number[] = [];
  let going = 0;
  for (let i = 0; start + i * step < end; i++) {
    const own = found.get(i);
    // Whoever was there when the step began counts in it, also if they leave before anybody comes.
    result.push(Math.max(going, own?.most ?? 0));
    going += own?.net ?? 0;
  }
  return result;
}
