import type { ControlClient } from '../../contract/client.ts';
import type { RequestOf } from '../../contract/endpoints.ts';
import { toStreamsError } from '../../core/errors.ts';

type Batch = RequestOf<'analytics'>;

/** A session as control takes it; times are milliseconds since the Unix epoch. `viewer` and what follows are of viewers only. */
export type SessionReport = NonNullable<Batch['broadcasts']>[number] &
  Partial<Omit<NonNullable<Batch['viewers']>[number], keyof NonNullable<Batch['broadcasts']>[number]>>;

/** Control will never take them as they are. */
const refusals = new Set(['INVALID_ARGUMENT', 'MALFORMED', 'LIMIT_EXCEEDED']);

/**
 * Returns how many rows control will never take: a batch that is refused is sent in halves. Throws API_UNREACHABLE when control
 * may take the rest later.
 */
export async function sendReports(
  control: ControlClient,
  node: string,
  rows: readonly SessionReport[],
): Promise<number> {
  if (rows.length === 0 || (await sendBatch(control, node, rows))) return 0;
  if (rows.length === 1) return 1;
  const half = Math.ceil(rows.length / 2);
  const first = await sendReports(control, node, rows.slice(0, half));
  return first + (await sendReports(control, node, rows.slice(half)));
}

/** Returns false when control refuses the batch as a whole. */
async function sendBatch(control: ControlClient, node: string, rows: readonly SessionReport[]): Promise<boolean> {
  const viewers = rows.flatMap(({ viewer, ...row }) => (viewer === undefined ? [] : [{ ...row, viewer }]));
  const broadcasts = rows.filter((row) => row.viewer === undefined);
  try {
    await control.ask('analytics', { node, broadcasts, viewers });
    return true;
  } catch (error) {
    if (refusals.has(toStreamsError(error).code)) return false;
    throw error;
  }
}
