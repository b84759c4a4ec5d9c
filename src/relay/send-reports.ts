import type { ControlClient } from '../contract/client.ts';
import type { RequestOf } from '../contract/endpoints.ts';
import { toStreamsError } from '../core/errors.ts';

type Batch = RequestOf<'analytics'>;

/** A session as control takes it; times are milliseconds since the Unix epoch. `viewer` and what follows are of viewers only. */
export type SessionReport = NonNullable<Batch['broadcasts']>[number] &
  Partial<Omit<NonNullable<Batch['viewers']>[number], keyof NonNullable<Batch['broadcasts']>[number]>>;

/** Control will never take them as they are. */
const refusals = new Set(['INVALID_ARGUMENT', 'MALFORMED', 'LIMIT_EXCEEDED']);

/** Returns whether control took them; false: it never will. Throws API_UNREACHABLE when it may take them later. */
export async function sendReports(
  control: ControlClient,
  node: string,
  rows: readonly SessionReport[],
): Promise<boolean> {
  if (rows.length === 0) return true;
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
