import { z } from 'zod';
import { StreamsError } from '../../core/errors.ts';
import { eachThatFits, words } from '../../core/lenient.ts';
import { authenticate, requireScope } from '../auth/authenticate.ts';
import type { ControlContext } from '../context.ts';
import { storePlayerEvents, storeSessions } from '../store/analytics.ts';
import type { PlayerEventRow } from '../store/schema.ts';
import type { App } from './app-env.ts';
import { parse } from './parse.ts';
import { readJson, readText } from './read-body.ts';

const rowId = z.string().regex(/^[0-9A-Za-z_.:-]{1,64}$/);
const ms = z.int().min(0);
const count = z.int().min(0);
/** What its column holds. */
const maxStartupMs = 2 ** 31 - 1;
const session = {
  /** Unique over all relays and restarts; the same in every report of a session. */
  id: rowId,
  org: z.string().max(64),
  /** What is published or watched: lv_…, as_… or pb_…. */
  inputId: z.string().max(64),
  startedAt: ms,
  /** null while it goes on. */
  endedAt: ms.nullable().default(null),
  /** When these figures were taken: of two reports the later one counts. */
  updatedAt: ms,
  bytes: count.default(0),
  objects: count.default(0),
  reason: words(200).nullable().default(null),
  transport: words(32).nullable().default(null),
  /** Of MoQT, e.g. `moqt-18`. */
  version: words(32).nullable().default(null),
};

/** `POST /internal/analytics`. Times are milliseconds since the Unix epoch; sending a batch again changes nothing. */
const analyticsBody = z.object({
  /** Name of the relay or engine. */
  node: words(128),
  broadcasts: eachThatFits(z.object(session), 5000).prefault([]),
  viewers: eachThatFits(
    z.object({
      ...session,
      viewer: words(128),
      /** From the session's opening to the first object of a media track; null before it. */
      startupMs: z
        .int()
        .min(0)
        .transform((value) => Math.min(value, maxStartupMs))
        .nullable()
        .default(null),
      /** Objects it was not given since it was slow. */
      dropped: count.default(0),
      groupsDropped: count.default(0),
    }),
    5000,
  ).prefault([]),
});
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
  app.post('/internal/analytics', async (c) => {
    const { node, broadcasts, viewers } = parse(analyticsBody, await readJson(c.req.raw));
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
    return c.json({ ok: true, refused: reasons.length });
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

function sessionColumns(row: z.output<z.ZodObject<typeof session>>) {
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
