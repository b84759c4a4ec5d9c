/** A webhook that something is due for. A failing one is tried with one delivery at a time. */
export type DueWebhook = { webhookId: string; orgId: string; failing: boolean };
export type Running = { webhookId: string; orgId: string };

/** Attempts at once in a process; each is a socket that waits. */
const maxAtOnce = 256;
/** An endpoint that does not answer must not hold up the others, nor be flooded when it is back. */
const maxPerWebhook = 8;

/**
 * How many more attempts each webhook may have now. An org never runs more than there is room left (dynamic thresholds, Choudhury and
 * Hahne 1998): one that is alone gets half of all, n that want everything get the same each, and as much again stays free for who
 * comes next.
 */
export function fairShares(due: readonly DueWebhook[], running: readonly Running[]): Map<string, number> {
  const ofOrg = countBy(running, ({ orgId }) => orgId);
  const ofWebhook = countBy(running, ({ webhookId }) => webhookId);
  const queues = new Map<string, DueWebhook[]>();
  for (const webhook of due) queues.set(webhook.orgId, [...(queues.get(webhook.orgId) ?? []), webhook]);
  const orgs = [...queues].sort(([a], [b]) => (ofOrg.get(a) ?? 0) - (ofOrg.get(b) ?? 0));
  const shares = new Map<string, number>();
  let room = maxAtOnce - running.length;
  for (let given = true; given; ) {
    given = false;
    for (const [orgId, queue] of orgs) {
      const has = ofOrg.get(orgId) ?? 0;
      if (has >= room) continue;
      const next = queue.findIndex(
        ({ webhookId, failing }) => (ofWebhook.get(webhookId) ?? 0) < (failing ? 1 : maxPerWebhook),
      );
      if (next === -1) continue;
      const [webhook] = queue.splice(0, next + 1).slice(-1);
      queue.push(webhook!); // the org's others first
      const { webhookId } = webhook!;
      ofOrg.set(orgId, has + 1);
      ofWebhook.set(webhookId, (ofWebhook.get(webhookId) ?? 0) + 1);
      shares.set(webhookId, (shares.get(webhookId) ?? 0) + 1);
      room--;
      given = true;
    }
  }
  return shares;
}

function countBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}
