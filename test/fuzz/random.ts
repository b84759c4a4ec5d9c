import { appendFileSync } from 'node:fs';
import { afterAll } from 'vitest';
import { concat } from '../../src/core/bytes.ts';

// Decoders throw for each byte that has not come yet, and vitest keeps a hundred frames of every error: half of the time of a run.
Error.stackTraceLimit = 4;

/** Of a long run (scripts/fuzz.js): every pass has a seed of its own, and says how much it did. */
const { STREAMS_FUZZ_SEED: pass = '0', STREAMS_FUZZ_REPORT: report } = process.env;
let executions = 0;

if (report !== undefined) {
  afterAll(() => {
    appendFileSync(report, `${JSON.stringify({ executions, maxRssKib: process.resourceUsage().maxRSS })}\n`);
    executions = 0;
  });
}

/** mulberry32: the same numbers for the same seed (and pass), 0 ≤ n < 1. */
export function random(seed: number): () => number {
  let state = seed ^ Math.imul(Number(pass), 0x9e3779b1);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Flips bytes, cuts, repeats or joins halves. */
export function mutate(seeds: readonly Uint8Array[], next: () => number): Uint8Array {
  executions++;
  const pick = () => seeds[Math.floor(next() * seeds.length)]!;
  const bytes = pick().slice();
  const at = Math.floor(next() * bytes.length);
  const kind = next();
  if (kind < 0.6) {
    const flips = 1 + Math.floor(next() * 4);
    for (let i = 0; i < flips && bytes.length > 0; i++)
      bytes[Math.floor(next() * bytes.length)] = next() < 0.3 ? (next() < 0.5 ? 0xff : 0) : Math.floor(next() * 256);
    return bytes;
  }
  if (kind < 0.75) return bytes.subarray(0, at);
  const other = kind < 0.9 ? pick() : bytes;
  const from = Math.floor(next() * other.length);
  const out = new Uint8Array(at + other.length - from);
  out.set(bytes.subarray(0, at));
  out.set(other.subarray(from), at);
  return out;
}

/** Flips, cuts, joins or splices, and now and then plain nonsense. */
export function mutateWildly(seeds: readonly Uint8Array[], next: () => number): Uint8Array {
  executions++;
  const below = (limit: number) => Math.floor(next() * limit);
  const pick = () => seeds[below(seeds.length)]!;
  const bytes = pick().slice();
  const at = below(bytes.length);
  switch (below(5)) {
    case 0:
      for (let i = below(3); i >= 0 && bytes.length > 0; i--) bytes[below(bytes.length)] = below(256);
      return bytes;
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return concat([bytes, pick()]);
    case 3:
      return concat([bytes.subarray(0, at), pick().subarray(at)]);
    default:
      return Uint8Array.from({ length: below(64) }, () => below(256));
  }
}
