const shortestMs = 250;
const longestMs = 5000;

/** Delay before reconnection `attempt` (from 1): 0.25 – 5 s, doubling, the upper half of it random (`random` in 0 … 1). */
export function backoffMs(attempt: number, random: number): number {
  const ceiling = Math.min(longestMs, shortestMs * 2 ** Math.min(attempt, 10));
  return Math.round(Math.max(shortestMs, ceiling * (0.5 + random / 2)));
}
