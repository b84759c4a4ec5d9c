import { z } from 'zod';
import { newestFirst } from '../../store/page.ts';
import type { AuditRow } from '../../store/schema.ts';
import { defineOperation } from '../define.ts';
import { isoTime, listOf, orgId, page, time } from '../fields.ts';

const auditEntry = z.object({
  id: z.string(),
  at: time,
  actor: z.string().describe('Id of the API key, or system'),
  action: z.string().describe('Name of the operation'),
  target: z.string().describe('Id of what was written'),
  requestId: z.string().nullable(),
});

export const auditLogList = defineOperation({
  name: 'auditLog.list',
  kind: 'query',
  long: true,
  summary: 'List every write of this org, newest first',
  scope: 'streams:admin',
  input: z.object({
    orgId,
    ...page,
    actor: z.string().max(64).optional(),
    action: z.string().max(64).optional(),
    target: z.string().max(64).optional(),
    from: time.optional(),
    to: time.optional(),
  }),
  output: listOf(auditEntry),
  rest: { method: 'GET', path: '/audit-log' },
  async run({ db, caller }, { cursor, limit, actor, action, target, from, to }) {
    let query = db.selectFrom('audit_log').selectAll().where('org_id', '=', caller.orgId);
    if (actor !== undefined) query = query.where('actor', '=', actor);
    if (action !== undefined) query = query.where('action', '=', action);
    if (target !== undefined) query = query.where('target', '=', target);
    if (from !== undefined) query = query.where('at', '>=', Date.parse(from));
    if (to !== undefined) query = query.where('at', '<', Date.parse(to));
    return newestFirst(query, { at: 'at', id: 'id' }, { cursor, limit }, viewAuditEntry);
  },
});

function viewAuditEntry(row: AuditRow): z.input<typeof auditEntry> {
  const { id, actor, action, target } = row;
  return { id, at: isoTime(row.at), actor, action, target, requestId: row.request_id };
}
