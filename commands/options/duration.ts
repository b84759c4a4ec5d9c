import { StreamsError } from '../../src/core/errors.ts';

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `500ms`, `30s`, `15m`, `1h`, `2d`, `1h30m`, or a bare number of seconds; answers milliseconds. Throws USAGE. */
export function parseDuration(text: string): number {
  if (/^\d{1,9}$/.test(text)) return positive(Number(text) * 1000, text);
  if (!/^(\d{1,9}(ms|[smhd]))+$/.test(text)) throw bad(text);
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(ms|[smhd])/g)) {
    total += Number(count) * unitMs[unit as keyof typeof unitMs];
  }
  return positive(total, text);
}

function positive(ms: number, text: string): number {
  if (ms <= 0) throw bad(text);
  return ms;
}

function bad(text: string): StreamsError {
  return new StreamsError('USAGE', `"${text}" is not a duration`, { hint: 'a duration such as 30s, 15m, 1h or 2d' });
}
