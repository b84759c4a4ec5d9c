import type { Logger } from '../core/log.ts';
import type { Asked, ToldEndpoints } from './addresses.ts';
import type { RateLimit } from './auth/rate-limit.ts';
import type { SigningKeys } from './auth/signing-keys.ts';
import type { Vault } from './auth/vault.ts';
import type { Liveness } from './liveness.ts';
import type { Db } from './store/schema.ts';

/** What a key may do. `streams:admin` includes write, `streams:write` includes read; `ingest` stands alone. */
export const scopes = ['streams:read', 'streams:write', 'streams:admin', 'ingest'] as const;
export type Scope = (typeof scopes)[number];

/** Who calls: an API key that was checked. */
export type Caller = { keyId: string; keyName: string; orgId: string; scopes: readonly Scope[] };

/** What the control plane hands to its operations and handlers. `now` is milliseconds since the Unix epoch. */
export type ControlContext = {
  db: Db;
  /** The same store for queries that may be long: nobody who is served waits for them. It writes nothing. */
  reader: Db;
  now(): number;
  logger: Logger;
  /** `iss` of every playback token, the same for the life of the store. */
  issuer: string;
  vault: Vault;
  signingKeys: SigningKeys;
  liveness: Liveness;
  /** Failed attempts by address. */
  failures: RateLimit;
  /** Playback tokens minted, by API key. */
  mints: RateLimit;
  /** The same by org; its rate is the org's quota. */
  orgMints: RateLimit;
  /** Webhooks may lead to addresses that are not on the public Internet. */
  allowPrivateWebhooks: boolean;
  /** As one who asks by this name is told them; `forAsker`: and nobody else. */
  endpoints(asked?: Asked, forAsker?: boolean): ToldEndpoints;
};
