import { StreamsError } from '../../src/core/errors.ts';

const unitBytes = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 } as const;

/** `500MB`, `64GB`, `2TB`, or a bare number of bytes; answers bytes. Throws USAGE. */
export function parseSize(text: string): number {
  const [, count, unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?) ?([kMGT]?)B?$/.exec(text) ?? /^(\d{1,15})()$/.exec(text) ?? [];
  const bytes = count === undefined ? 0 : Math.floor(Number(count) * unitBytes[unit as keyof typeof unitBytes]);
  if (bytes > 0) return bytes;
  throw new StreamsError('USAGE', `"${text}" is not a size`, { hint: 'a size such as 500MB, 64GB or 2TB' });
}
