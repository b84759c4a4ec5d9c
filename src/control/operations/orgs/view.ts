import { z } from 'zod';
import { isoTime, time } from '../fields.ts';

export const org = z.object({ id: z.string(), name: z.string(), createdAt: time });

export function viewOrg(row: { id: string; name: string; created_at: number }): z.input<typeof org> {
  return { id: row.id, name: row.name, createdAt: isoTime(row.created_at) };
}
