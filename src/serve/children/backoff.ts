/** Waits between restarts of a child that dies: doubling, and forgotten once it was healthy for a while. */
export type BackoffRule = { firstMs: number; longestMs: number; healthyMs: number };

export const defaultBackoff: BackoffRule = { firstMs: 250, longestMs: 10_000, healthyMs: 10_000 };

/** The wait before the next start. `previousMs`: the last wait, undefined before the first; `readyForMs`: how long the child served. */
export function nextWait(rule: BackoffRule, previousMs: number | undefined, readyForMs: number): number {
  if (previousMs === undefined || readyForMs >= rule.healthyMs) return rule.firstMs;
  return Math.min(previousMs * 2, rule.longestMs);
}
