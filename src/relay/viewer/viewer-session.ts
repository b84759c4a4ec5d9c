import type { Grant } from '../../access/grant.ts';
import type { ObjectDialect } from '../../codec/moqt/dialect.ts';
import type { SessionTally } from '../reports/session-tally.ts';

/** The session that a viewer belongs to. */
export type ViewerSession = {
  readonly dialect: ObjectDialect;
  readonly tally: SessionTally;
  /** What its subscriptions rest on. */
  readonly grant: Pick<Grant, 'remainingMs'>;
  /** It is a relay of our cluster. */
  readonly isMember?: boolean;
  /** Ends the session: serving it went wrong in a way that nobody expected. */
  fail(error: unknown): void;
};

/** EXPIRES (draft-18 10.2): when a subscription ends with the grant it rests on, if that has an end. */
export function expiryOf({ grant }: ViewerSession): { expiresMs?: number } {
  const left = grant.remainingMs?.();
  // 0 would be no end at all.
  return left === undefined ? {} : { expiresMs: Math.max(1, Math.round(left)) };
}
