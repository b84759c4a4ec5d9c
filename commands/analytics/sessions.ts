import type { Run } from '../command.ts';
import { queryOf } from './query.ts';
import type { sessionsSpec } from './specs.ts';

type Session = {
  id: string;
  inputId: string;
  viewerId: string;
  startedAt: string;
  endedAt: string | null;
  seconds: number;
  startupMs: number | null;
  bytes: number;
  dropped: number;
  groupsDropped: number;
  transport: string | null;
  version: string | null;
  reason: string | null;
};

export const run: Run<typeof sessionsSpec> = async ({ options, output, api }) => {
  const query = queryOf(options, options.viewer === undefined ? {} : { viewerId: options.viewer });
  const sessions = await (await api()).list<Session>(`/v1/analytics/viewer-sessions${query}`);
  await output.result({
    json: { type: 'sessions', sessions },
    blocks: [
      {
        kind: 'table',
        columns: ['input', 'viewer', 'started', 'watched', 'startup', 'dropped', 'sent', 'by', 'why'],
        rows: sessions.map((session) => [
          session.inputId,
          session.viewerId,
          session.startedAt,
          `${(session.seconds / 60).toFixed(1)} min`,
          session.startupMs === null ? '' : `${session.startupMs} ms`,
          String(session.dropped),
          `${(session.bytes / 1e6).toFixed(1)} MB`,
          [session.transport, session.version].filter((each) => each !== null).join(' '),
          session.reason ?? (session.endedAt === null ? 'watching' : ''),
        ]),
        empty: 'Nobody watched in this time.',
      },
    ],
  });
};
