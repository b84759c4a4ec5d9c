/** A session that lasted so long was a good one: who dials again begins anew, with attempts and waits. */
const goodSessionMs = 10_000;

/**
 * `establishedAt`: when the session was there, by `performance.now()`; undefined where it never was. A dial into a network that
 * drops everything takes long too, and is no session.
 */
export function wasGood(establishedAt: number | undefined): boolean {
  return establishedAt !== undefined && performance.now() - establishedAt >= goodSessionMs;
}
