import { z } from 'zod';
import { analytics, type broadcastSession, rowId } from '../../contract/internal/analytics.ts';
import { StreamsError } from '../../core/errors.ts';
import { authenticate, requireScope } from '../auth/authenticate.ts';
import type { ControlContext } from '../context.ts';
import { storePlayerEvents, storeSessions } from '../store/analytics.ts';
import type { PlayerEventRow } from '../store/schema.ts';
import type { App } from './app-env.ts';
import { mountEndpoint } from './mount-endpoint.ts';
import { readText } from './read-body.ts';

const maxEvents = 5000;
const maxDataBytes = 4096;

/** One line of `POST /v0/events`. */
const playerEvent = z.object({
  id: rowId,
  type: z.string().regex(/^[0-9A-Za-z_.-]{1,64}$/),
  at: z.iso.datetime(),
  inputId: z.string().max(64).optional(),
  viewerId: z.string().max(128).optional(),
  data: z
    .record(z.string().max(64), z.unknown())
    .default({})
    .refine((value) => JSON.stringify(value).length <= maxDataBytes, `more than ${maxDataBytes} bytes`),
});

export function mountAnalytics(app: App, context: ControlContext): void {
  mountEndpoint(app, 'analytics', analytics, async ({ node, broadcasts, viewers }) => {
    const refused = await storeSessions(context.db, {
      broadcasts: broadcasts.fitting.map((row) => ({ ...sessionColumns(row), node })),
      viewers: viewers.fitting.map((row) => ({
        ...sessionColumns(row),
        node,
        // Its column takes no null.
        transport: row.transport ?? 'unknown',
        viewer: row.viewer,
        startup_ms: row.startupMs,
        dropped: row.dropped,
        groups_dropped: row.groupsDropped,
      })),
    });
    const messages = [...broadcasts.refused, ...viewers.refused].map(({ message }) => message);
    const reasons = [...messages, ...refused.map(({ reason }) => reason)];
    // They would be refused as often as they were sent.
    if (reasons.length > 0)
      context.logger.warn('reports of sessions cannot be kept', { node, rows: reasons.length, reason: reasons[0] });
    return { ok: true, refused: reasons.length };
  });

  /** NDJSON: what players saw, one event a line. Lines that are none are named in the answer; the others are kept. */
  app.post('/v0/events', async (c) => {
    const caller = await authenticate(context, c.req.header('authorization') ?? null, c.env.remoteAddress);
    requireScope(caller, 'ingest');
    const rows = new Map<string, { line: number; row: PlayerEventRow }>();
    const rejected: { line: number; message: string }[] = [];
    let lines = 0;
    for (const [i, text] of (await readText(c.req.raw)).split('\n').entries()) {
      if (text.trim() === '') continue;
      if (++lines > maxEvents) throw new StreamsError('LIMIT_EXCEEDED', `more than ${maxEvents} events in one request`);
      const event = playerEventOf(text);
      if (typeof event === 'string') rejected.push({ line: i + 1, message: event });
      else
        rows.set(event.id, {
          line: i + 1,
          row: {
            org_id: caller.orgId,
            id: event.id,
            type: event.type,
            at: Date.parse(event.at),
            input_id: event.inputId ?? null,
            viewer: event.viewerId ?? null,
            data: JSON.stringify(event.data),
          },
        });
    }
    const { stored: accepted, refused } = await storePlayerEvents(
      context.db,
      [...rows.values()].map(({ row }) => row),
    );
    for (const { id } of refused) rejected.push({ line: rows.get(id)!.line, message: 'the store cannot hold it' });
    return c.json({ accepted, duplicates: lines - rejected.length - accepted, rejected }, 202);
  });
}

/** The event, or what is wrong with the line. */
function playerEventOf(text: string): z.output<typeof playerEvent> | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'not JSON';
  }
  const parsed = playerEvent.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  return `${path.join('.')}: ${message}`;
}

function sessionColumns(row: z.output<typeof broadcastSession>) {
  return {
    id: row.id,
    org_id: row.org,
    input_id: row.inputId,
    started_at: row.startedAt,
    ended_at: row.endedAt,
    updated_at: row.updatedAt,
    bytes: row.bytes,
    objects: row.objects,
    reason: row.reason,
    transport: row.transport,
    version: row.version,
  };
}
