/**
 * The most that each may keep so that all of them together keep at most `target`: whoever has less keeps what it has, the others
 * keep the same. `sizes` and the answer are bytes.
 */
export function fairShare(sizes: readonly number[], target: number): number {
  const ascending = [...sizes].sort((a, b) => a - b);
  let left = Math.max(0, target);
  for (const [index, size] of ascending.entries()) {
    const share = left / (ascending.length - index);
    if (size > share) return Math.floor(share);
    left -= size;
  }
  return Number.POSITIVE_INFINITY;
}

/** Where trimming stops: below the bound, so that a track that stays at its bound is not trimmed for every object. */
export function withRoom(bound: number): number {
  return bound - Math.floor(bound / 8);
}
