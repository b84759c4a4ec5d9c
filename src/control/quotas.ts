import { StreamsError } from '../core/errors.ts';
import type { Db } from './store/schema.ts';

/** How many an org may have, unless another number was set for it. */
export const defaultQuotas = {
  inputs: 20_000,
  assets: 200_000,
  /** Assets that wait for the rest of their upload. */
  unfinishedUploads: 1000,
  /** Of those uploads, as long as they will be: one of unknown length counts as the largest that is taken. */
  unfinishedBytes: 10e12,
  /** Each is told of every event, so each costs what all of an org's events cost. */
  webhooks: 100,
  tokensPerMinute: 30_000,
};

export type QuotaName = keyof typeof defaultQuotas;
export type Quotas = Record<QuotaName, number>;
export const quotaNames = Object.keys(defaultQuotas) as QuotaName[];

/** What is counted in the store; tokens go by the minute. */
type Counted = Exclude<QuotaName, 'tokensPerMinute'>;

/** What the org may have, all told. */
export async function quotasOf(db: Db, orgId: string): Promise<Quotas> {
  const rows = await db.selectFrom('quotas').select(['name', 'value']).where('org_id', '=', orgId).execute();
  const set = rows.flatMap(({ name, value }) => (name in defaultQuotas ? [[name, Number(value)]] : []));
  return { ...defaultQuotas, ...Object.fromEntries(set) };
}

/** Sets some for an org; null: the default again. */
export async function setQuotas(
  db: Db,
  orgId: string,
  changes: Partial<Record<QuotaName, number | null | undefined>>,
): Promise<void> {
  for (const name of quotaNames) {
    const value = changes[name];
    if (value === undefined) continue;
    await db.deleteFrom('quotas').where('org_id', '=', orgId).where('name', '=', name).execute();
    if (value !== null) await db.insertInto('quotas').values({ org_id: orgId, name, value }).execute();
  }
}

/** How many the org has of each. */
export async function usedOf(db: Db, orgId: string): Promise<Record<Counted, number>> {
  return {
    inputs: await count(db, orgId, 'inputs'),
    assets: await count(db, orgId, 'assets'),
    ...(await unfinished(db, orgId)),
    webhooks: await count(db, orgId, 'webhooks'),
  };
}

const things: Record<Counted, { words: string; hint: string }> = {
  inputs: { words: 'live inputs', hint: 'Delete one that is not needed: streams inputs list' },
  assets: { words: 'assets', hint: 'Delete one that is not needed: streams assets list' },
  unfinishedUploads: {
    words: 'unfinished uploads',
    hint: 'Finish or delete one: streams assets list --status uploading',
  },
  unfinishedBytes: {
    words: 'bytes of unfinished uploads',
    hint: 'Finish or delete one: streams assets list --status uploading',
  },
  webhooks: { words: 'webhooks', hint: 'Delete one that is not needed: streams webhooks list' },
};

/**
 * Throws QUOTA_EXCEEDED when the org may not have `more` of it. Inside the transaction that adds them, so that two requests never both
 * take the last one.
 */
export async function requireRoom(db: Db, orgId: string, name: Counted, more = 1): Promise<void> {
  const most = (await quotasOf(db, orgId))[name];
  if ((await count(db, orgId, name)) + more <= most) return;
  const { words, hint } = things[name];
  throw new StreamsError('QUOTA_EXCEEDED', `an org has ${most} ${words} at most`, { hint });
}

async function unfinished(db: Db, orgId: string): Promise<Record<'unfinishedUploads' | 'unfinishedBytes', number>> {
  const { number, bytes } = await db
    .selectFrom('assets')
    .select((eb) => [eb.fn.countAll().as('number'), eb.fn.sum('promised_bytes').as('bytes')])
    .where('org_id', '=', orgId)
    .where('status', '=', 'uploading')
    .where('input_id', 'is', null)
    .executeTakeFirstOrThrow();
  return { unfinishedUploads: Number(number), unfinishedBytes: Number(bytes ?? 0) };
}

async function count(db: Db, orgId: string, name: Counted): Promise<number> {
  if (name === 'unfinishedUploads' || name === 'unfinishedBytes') return (await unfinished(db, orgId))[name];
  const { number } = await db
    .selectFrom(name === 'inputs' ? 'live_inputs' : name)
    .select((eb) => eb.fn.countAll().as('number'))
    .where('org_id', '=', orgId)
    .executeTakeFirstOrThrow();
  return Number(number);
}
