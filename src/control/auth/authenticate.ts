import { StreamsError } from '../../core/errors.ts';
import { isKey } from '../../core/ids.ts';
import type { Caller, ControlContext, Scope } from '../context.ts';
import { hashSecret, matchesHash } from './secrets.ts';

const lastUsedResolutionMs = 60_000;
const hint = 'Pass an API key: --api-key, STREAMS_API_KEY, or the header Authorization: Bearer ak_live_…';

/**
 * The caller behind `Authorization: Bearer ak_live_…`. Throws UNAUTHORIZED without a key or with one that is unknown, revoked
 * or expired, and RATE_LIMITED when `address` failed too often.
 */
export async function authenticate(
  context: ControlContext,
  authorization: string | null,
  address: string,
): Promise<Caller> {
  const key = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (key === undefined) throw new StreamsError('UNAUTHORIZED', 'an API key is needed', { hint });
  const caller = await lookUp(context, key);
  if (typeof caller !== 'string') return caller;
  throw await failed(context, address, caller, hint);
}

/** Counts a failure of `address`: the UNAUTHORIZED to throw, or RATE_LIMITED once there were too many. */
export async function failed(
  context: ControlContext,
  address: string,
  message: string,
  hint?: string,
): Promise<StreamsError> {
  if (!(await context.failures.take(address)))
    return new StreamsError('RATE_LIMITED', 'too many failed attempts from this address', {
      hint: 'Wait a few seconds, then try with the right key.',
    });
  return new StreamsError('UNAUTHORIZED', message, hint === undefined ? {} : { hint });
}

async function lookUp(context: ControlContext, key: string): Promise<Caller | string> {
  if (!isKey('ak_live', key)) return 'this is not an API key, or it has a typo';
  const row = await context.db
    .selectFrom('api_keys')
    .selectAll()
    .where('hash', '=', hashSecret(key))
    .executeTakeFirst();
  if (!row || !matchesHash(key, row.hash)) return 'the API key is not known here';
  const now = context.now();
  if (row.revoked_at !== null) return 'the API key was revoked';
  if (row.expires_at !== null && row.expires_at <= now) return 'the API key has expired';
  if (row.last_used_at === null || now - row.last_used_at >= lastUsedResolutionMs)
    await context.db.updateTable('api_keys').set({ last_used_at: now }).where('id', '=', row.id).execute();
  return { keyId: row.id, keyName: row.name, orgId: row.org_id, scopes: JSON.parse(row.scopes) as Scope[] };
}

const included: Record<Scope, readonly Scope[]> = {
  'streams:read': ['streams:read', 'streams:write', 'streams:admin'],
  'streams:write': ['streams:write', 'streams:admin'],
  'streams:admin': ['streams:admin'],
  ingest: ['ingest'],
};

/** Throws FORBIDDEN, naming the scope, unless the caller's key has it or one that includes it. */
export function requireScope(caller: Caller, scope: Scope): void {
  if (included[scope].some((enough) => caller.scopes.includes(enough))) return;
  throw new StreamsError('FORBIDDEN', `the API key lacks the scope ${scope}`, {
    hint: `Use a key with ${scope}, or create one: streams api-keys create --scope ${scope}`,
  });
}

/** Throws FORBIDDEN for any org but the key's own, whether it exists or not. */
export function requireOrg(caller: Caller, orgId: string | undefined): void {
  if (orgId !== undefined && orgId !== caller.orgId)
    throw new StreamsError('FORBIDDEN', 'the API key does not belong to this org');
}
