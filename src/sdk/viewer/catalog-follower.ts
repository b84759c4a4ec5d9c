import { type Catalog, decodeCatalog } from '../../codec/catalog/streams-catalog.ts';
import { streamResetCodes } from '../../codec/moqt/codes.ts';
import type { IncomingSubgroup, Subscription } from '../../session/types.ts';

/**
 * Reads `.catalog`: object 0 of each group is the whole catalog, and only ever a newer one replaces the last. Resolves when
 * the subscription has ended; rejects with MALFORMED or UNSUPPORTED when a catalog cannot be read.
 */
export async function followCatalog(subscription: Subscription, onCatalog: (catalog: Catalog) => void): Promise<void> {
  let newest = -1;
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});
  const read = async (subgroup: IncomingSubgroup) => {
    const object = await subgroup.next().catch(() => null);
    subgroup.stop(streamResetCodes.cancelled);
    if (object === null || object.objectId !== 0 || object.status !== 'normal') return;
    if (subgroup.groupId <= newest) return;
    newest = subgroup.groupId;
    onCatalog(decodeCatalog(object.payload));
  };
  for (;;) {
    const subgroup = await Promise.race([subscription.nextSubgroup(), failed]);
    if (subgroup === null) return;
    // Not awaited: a publisher that vanished in the middle of one must not hide the next.
    read(subgroup).catch(fail);
  }
}
