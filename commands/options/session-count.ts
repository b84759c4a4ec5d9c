import { StreamsError } from '../../src/core/errors.ts';

/** A number of sessions, 1 to 1 000 000. Throws USAGE. */
export function parseSessionCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,7}$/.test(text) || count < 1 || count > 1_000_000) {
    throw new StreamsError('USAGE', `"${text}" is not a number of sessions`, { hint: 'a number from 1 to 1000000' });
  }
  return count;
}
