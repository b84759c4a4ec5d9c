import { describe, expect, it } from 'vitest';
import { AddressRateLimit, addressKey } from '../../../src/relay/listen/rate-limit.ts';

describe('AddressRateLimit', () => {
  it('lets a burst through, then the rate', () => {
    let now = 0;
    const limit = new AddressRateLimit({ burst: 3, perSecond: 2, now: () => now });
    const takes = (count: number): boolean[] => Array.from({ length: count }, () => limit.take('a'));
    expect(takes(4)).toEqual([true, true, true, false]);
    expect(limit.take('b')).toBe(true);
    now = 500;
    expect(takes(2)).toEqual([true, false]);
    now = 60_000;
    expect(takes(4)).toEqual([true, true, true, false]);
  });

  it('forgets the address seen longest ago', () => {
    const limit = new AddressRateLimit({ burst: 1, perSecond: 0.001, maxAddresses: 2, now: () => 0 });
    expect([limit.take('a'), limit.take('b'), limit.take('a'), limit.take('c')]).toEqual([true, true, false, true]);
    expect(limit.take('a')).toBe(false);
    expect(limit.take('b')).toBe(true);
  });
});

describe('addressKey', () => {
  it.each([
    ['192.0.2.1:5000', '192.0.2.1'],
    ['[::ffff:192.0.2.1]:5000', '::ffff:192.0.2.1'],
    ['[2001:db8:1:2:3:4:5:6]:443', '2001:db8:1:2::/64'],
    ['[2001:db8::6]:443', '2001:db8:0:0::/64'],
    ['[::1]:443', '0:0:0:0::/64'],
  ])('%s is %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});
