import type { MessageParameters } from '../../../codec/moqt/fields/parameters.ts';
import { protocolViolation } from '../../../codec/moqt/moqt-error.ts';
import type { Hops } from '../../types.ts';
import type { SessionContext } from '../context.ts';

/** What the way costs up to the peer: nothing, where it does not say (draft-lcurley-moq-cluster, ROUTE_COST). */
export function routeCostOf(context: SessionContext, parameters: MessageParameters | undefined): number | undefined {
  return context.carriesHops() ? (parameters?.routeCost ?? 0) : undefined;
}

/**
 * The relays that an announcement of the peer passed. Announcements of a session that agreed on hops have them, others do not
 * (draft-lcurley-moq-cluster, Setup Negotiation). Throws PROTOCOL_VIOLATION.
 */
export function hopPathOf(context: SessionContext, parameters: MessageParameters | undefined): Hops | undefined {
  const hops = parameters?.hopPath;
  if (context.carriesHops()) {
    if (hops === undefined) throw protocolViolation('an announcement without HOP_PATH');
  } else if (parameters?.routeCost !== undefined || hops !== undefined) {
    throw protocolViolation('HOP_PATH or ROUTE_COST in a session that did not agree on them');
  }
  return hops;
}
