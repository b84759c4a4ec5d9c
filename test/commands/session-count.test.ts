import { expect, it } from 'vitest';
import { parseSessionCount } from '../../commands/options/session-count.ts';

it('--max-sessions is a number of sessions', () => {
  expect(['1', '250', '1000000'].map(parseSessionCount)).toEqual([1, 250, 1_000_000]);
  for (const text of ['', '0', '-1', '1e3', '2.5', '1000001', 'many'])
    expect(() => parseSessionCount(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
