import { StreamsError } from '../core/errors.ts';

const dayMs = 86_400_000;

/** Tables whose rows are kept for as long as the installation wants them, and days where it says nothing; undefined: for ever. */
const defaultDays = {
  player_events: 90,
  viewer_sessions: 400,
  broadcast_sessions: 400,
  // Who did what: how long it must be kept is a matter of law.
  audit_log: undefined,
} as const satisfies Record<string, number | undefined>;

export type KeptTable = keyof typeof defaultDays;
/** Milliseconds; undefined: for ever. */
export type Retention = Record<KeptTable, number | undefined>;

/** An engine that was away learns from the audit log which assets were deleted: it has so long to come back. */
const leastAuditDays = 30;

/** Reads `player_events=30d,audit_log=forever`; what is not named is kept as by default. Throws CONFIG_INVALID. */
export function parseRetention(text = ''): Retention {
  const days: Record<KeptTable, number | undefined> = { ...defaultDays };
  for (const part of text.split(',').map((each) => each.trim())) {
    if (part === '') continue;
    const [, table = '', value = ''] = /^(\w+)=(forever|[1-9]\d{0,4}d)$/.exec(part) ?? [];
    if (!Object.hasOwn(defaultDays, table)) throw wrong(`"${part}" is no retention`);
    const kept = value === 'forever' ? undefined : Number.parseInt(value, 10);
    if (table === 'audit_log' && kept !== undefined && kept < leastAuditDays)
      throw wrong(`audit_log is kept for ${leastAuditDays} days at least`);
    days[table as KeptTable] = kept;
  }
  const inMs = Object.entries(days).map(([table, kept]) => [table, kept === undefined ? undefined : kept * dayMs]);
  return Object.fromEntries(inMs) as Retention;
}

function wrong(message: string): StreamsError {
  return new StreamsError('CONFIG_INVALID', `STREAMS_RETENTION: ${message}`, {
    hint: `STREAMS_RETENTION=player_events=90d,audit_log=forever; of ${Object.keys(defaultDays).join(', ')}`,
  });
}
