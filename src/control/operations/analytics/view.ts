import { z } from 'zod';
import type { ControlContext } from '../../context.ts';
import type { BroadcastSessionRow, ViewerSessionRow } from '../../store/schema.ts';
import { isoTime, time } from '../fields.ts';

/** A relay reports open sessions every few seconds: one it did not speak of for longer is over, whatever its row says. */
export const reportedWithinMs = 60_000;

export const mediaId = z.string().max(64).describe('What was published or watched: lv_…, as_… or pb_…');

export const period = {
  from: time.optional().describe('Seven days before `to` when left out'),
  to: time.optional().describe('Now when left out'),
};

/** Milliseconds since the Unix epoch. */
export function periodOf(
  context: ControlContext,
  { from, to }: { from?: string | undefined; to?: string | undefined },
) {
  const end = to === undefined ? context.now() + 1 : Date.parse(to);
  return { start: from === undefined ? end - 7 * 86_400_000 : Date.parse(from), end };
}

const session = {
  id: z.string(),
  inputId: z.string(),
  node: z.string().describe('The relay'),
  startedAt: time,
  endedAt: time.nullable().describe('null while it goes on'),
  seconds: z.number(),
  bytes: z.int(),
  objects: z.int(),
  reason: z
    .string()
    .nullable()
    .describe('Why it ended; relay_died: its relay was killed, the figures are of shortly before'),
  transport: z.string().nullable().describe('quic, webtransport or websocket'),
  version: z.string().nullable().describe('Of MoQT, e.g. moqt-18'),
};

export const broadcastSession = z.object(session);

export const viewerSession = z.object({
  ...session,
  viewerId: z.string(),
  startupMs: z.int().nullable().describe('From opening to the first media object'),
  dropped: z.int().describe('Objects it was not given since it was slow'),
  groupsDropped: z.int().describe('Groups given up for the same reason'),
});

export function viewBroadcastSession(row: BroadcastSessionRow): z.input<typeof broadcastSession> {
  return {
    id: row.id,
    inputId: row.input_id,
    node: row.node,
    startedAt: isoTime(row.started_at),
    endedAt: row.ended_at === null ? null : isoTime(row.ended_at),
    seconds: Math.max(0, (row.ended_at ?? row.updated_at) - row.started_at) / 1000,
    bytes: row.bytes,
    objects: row.objects,
    reason: row.reason,
    transport: row.transport,
    version: row.version,
  };
}

export function viewViewerSession(row: ViewerSessionRow): z.input<typeof viewerSession> {
  return {
    ...viewBroadcastSession(row),
    viewerId: row.viewer,
    startupMs: row.startup_ms,
    dropped: row.dropped,
    groupsDropped: row.groups_dropped,
  };
}
