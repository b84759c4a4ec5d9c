import type { Authoriser, Grant } from '../../../src/access/grant.ts';
import { everythingBelow } from '../../../src/access/pattern.ts';
import { silentLogger } from '../../../src/core/log.ts';
import type { RelayLimits } from '../../../src/relay/limits.ts';
import { createRelay, type RelayCore } from '../../../src/relay/relay.ts';
import { memoryPair } from '../../../src/transport/memory.ts';

const everything = { publish: [everythingBelow([])], subscribe: [everythingBelow([])] };
const held = { lapsed: () => undefined, watch: () => () => {} };

/** Anybody may publish and watch anything. */
const anybody: Authoriser = { authorise: async () => ({ kind: 'both', ...everything, ...held }) };
export const member: Grant = { kind: 'both', cluster: true, ...everything, ...held };

/** A relay whose id in hop lists is `hopId`. */
export function node(hopId: bigint, limits: Partial<RelayLimits> = {}): RelayCore {
  return createRelay({ authoriser: anybody, logger: silentLogger, hopId, limits });
}

export type Link = { cut(): void; readonly over: Promise<unknown> };

/** A link that `from` dialled; `cost` is for both directions. */
export function link(from: RelayCore, to: RelayCore, protocol = 'moqt-18', cost?: number): Link {
  const pair = memoryPair({ protocol, path: '' });
  const served = to.serve(pair.server, member);
  const dialled = from
    .link(pair.client, { path: '/?cluster=1', authority: '', ...(cost !== undefined && { cost }) })
    .catch(() => {});
  return { cut: () => pair.drop(), over: Promise.all([served, dialled]) };
}

/** All orders of the items. */
export function orders<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first, i) => orders(items.filter((_, j) => j !== i)).map((rest) => [first, ...rest]));
}
