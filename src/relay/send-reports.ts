import { StreamsError } from '../core/errors.ts';

/** A session as `POST /internal/analytics` takes it; times are milliseconds since the Unix epoch. */
export type SessionReport = {
  readonly id: string;
  readonly org: string;
  readonly inputId: string;
  readonly transport: string;
  /** `moqt-18`, … */
  readonly version: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly updatedAt: number;
  readonly bytes: number;
  readonly objects: number;
  readonly reason: string | null;
  /** Of viewer sessions, and of no others. */
  readonly viewer?: string;
  readonly startupMs?: number | null;
  /** Objects. */
  readonly dropped?: number;
  readonly groupsDropped?: number;
};

const timeoutMs = 5000;
/** The control plane will never take them as they are. */
const refusals = new Set([400, 413, 422]);

type Control = { readonly controlUrl: string; readonly serviceToken: string };

/** Answers how many never will be taken: a batch that is refused is sent in halves. Throws API_UNREACHABLE when the rest may be later. */
export async function sendReports(control: Control, node: string, rows: readonly SessionReport[]): Promise<number> {
  if (rows.length === 0 || (await sendBatch(control, node, rows))) return 0;
  if (rows.length === 1) return 1;
  const half = Math.ceil(rows.length / 2);
  const first = await sendReports(control, node, rows.slice(0, half));
  return first + (await sendReports(control, node, rows.slice(half)));
}

/** False: refused as a whole. */
async function sendBatch(
  { controlUrl, serviceToken }: Control,
  node: string,
  rows: readonly SessionReport[],
): Promise<boolean> {
  const body = JSON.stringify({
    node,
    broadcasts: rows.filter((row) => row.viewer === undefined),
    viewers: rows.filter((row) => row.viewer !== undefined),
  });
  let response: Response;
  try {
    response = await fetch(new URL('/internal/analytics', controlUrl), {
      method: 'POST',
      headers: { authorization: `Bearer ${serviceToken}`, 'content-type': 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
  } catch (cause) {
    throw new StreamsError('API_UNREACHABLE', 'the control plane does not answer', { cause });
  }
  if (!response.ok && !refusals.has(response.status)) {
    throw new StreamsError('API_UNREACHABLE', `status ${response.status}`);
  }
  return response.ok;
}
