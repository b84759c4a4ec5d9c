import { newId } from '../../core/ids.ts';
import type { AuditRow, Db } from './schema.ts';

/** Records a write. Call it in the transaction that writes, so that neither is ever without the other. */
export async function writeAudit(db: Db, entry: Omit<AuditRow, 'id'>): Promise<void> {
  await db
    .insertInto('audit_log')
    .values({ id: newId('aud'), ...entry })
    .execute();
}
