import { expect, it } from 'vitest';
import { clampLifetime } from '../../src/contract/playback-token.ts';

it.each([
  [undefined, 3600],
  [0, 30],
  [-1, 30],
  [30, 30],
  [90.9, 90],
  [86_400, 86_400],
  [86_401, 86_400],
  [Number.POSITIVE_INFINITY, 86_400],
])('a lifetime of %s s becomes %s s', (wanted, seconds) => {
  expect(clampLifetime(wanted)).toBe(seconds);
});
