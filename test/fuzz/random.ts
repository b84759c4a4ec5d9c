/** mulberry32: the same numbers in every run, 0 ≤ n < 1. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Flips bytes, cuts, repeats or joins halves. */
export function mutate(seeds: readonly Uint8Array[], next: () => number): Uint8Array {
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
