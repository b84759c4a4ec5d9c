import { describe, expect, it } from 'vitest';
import {
  compareRoutes,
  isUsable,
  leadsTo,
  maxHops,
  type Peer,
  type Route,
  randomHop,
  routeBy,
} from '../../../src/relay/upstream/route.ts';

const member = (id?: bigint): Peer => ({ isMember: true, id });
const client: Peer = { isMember: false, id: undefined };
const own = 100n;

/** By name: what `compareRoutes` puts first. */
function order(routes: Record<string, Route>): string[] {
  return Object.keys(routes).sort((a, b) => compareRoutes({ route: routes[a]! }, { route: routes[b]! }));
}

describe('hop lists', () => {
  it.each([
    ['one relay', [1n, 2n], true],
    ['as many as are allowed', Array.from({ length: maxHops }, (_, i) => BigInt(i + 1)), true],
    ['one more', Array.from({ length: maxHops + 1 }, (_, i) => BigInt(i + 1)), false],
    ['this relay', [1n, own, 2n], false],
    ['nothing', [], false],
    ['none at all', undefined, false],
  ])('of %s', (_, hops, usable) => {
    expect(isUsable(hops, own)).toBe(usable);
  });

  it('have ids of 62 bits, never 0', () => {
    const ids = Array.from({ length: 100 }, randomHop);
    expect(new Set(ids).size).toBe(100);
    expect(ids.every((id) => id > 0n && id < 1n << 62n)).toBe(true);
  });
});

describe('the way to a namespace', () => {
  it('costs what its links cost, one each where nobody says', () => {
    expect(routeBy(member(), [1n, 2n], undefined).cost).toBe(2);
    expect(routeBy(member(), [1n, 2n], 0).cost).toBe(1);
    expect(routeBy({ ...member(), cost: 0 }, [1n, 2n], 5).cost).toBe(5);
    expect(routeBy({ ...member(), cost: 9 }, [1n, 2n], Number.MAX_SAFE_INTEGER).cost).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('is the cheapest, however long', () => {
    const routes = {
      dear: { by: member(), hops: [9n, 1n], cost: 40 },
      unsaid: { by: member(), hops: [9n, 1n, 2n] },
      cheap: { by: member(), hops: [9n, 1n, 2n, 3n, 4n], cost: 2 },
      here: { by: client, hops: [5n], cost: 100 },
    };
    expect(order(routes)).toEqual(['here', 'cheap', 'unsaid', 'dear']);
  });

  it('is here before it is elsewhere, then the shortest, then that of the lowest ids', () => {
    const routes = {
      far: { by: member(), hops: [9n, 1n, 2n] },
      high: { by: member(), hops: [1n, 7n] },
      low: { by: member(), hops: [9n, 3n] },
      here: { by: client, hops: [5n, 6n, 7n, 8n] },
    };
    expect(order(routes)).toEqual(['here', 'low', 'high', 'far']);
    expect(order(Object.fromEntries(Object.entries(routes).reverse()))).toEqual(['here', 'low', 'high', 'far']);
  });

  it('of two publishers that are here is for the newer to take', () => {
    expect(compareRoutes({ route: { by: client, hops: [1n] } }, { route: { by: client, hops: [2n] } })).toBe(0);
    expect(compareRoutes({}, { route: { by: client, hops: [2n] } })).toBe(0);
  });

  it('does not lead back to where it came from', () => {
    const from = member(4n);
    const other = member(4n);
    const route: Route = { by: from, hops: [1n, 3n, 4n] };
    expect(leadsTo({ route }, from)).toBe(true);
    expect(leadsTo({ route }, other)).toBe(true);
    expect(leadsTo({ route }, member(3n))).toBe(true);
    expect(leadsTo({ route }, member(5n))).toBe(false);
    expect(leadsTo({ route }, member())).toBe(false);
    expect(leadsTo({ route: { by: client, hops: [1n] } }, client)).toBe(false);
    expect(leadsTo({}, from)).toBe(false);
  });
});
