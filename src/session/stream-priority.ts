import type { GroupOrder } from '../codec/moqt/model.ts';

export type ObjectPriority = {
  /** 0 … 255, 0 most urgent. */
  readonly subscriberPriority: number;
  /** 0 … 255, 0 most urgent. */
  readonly publisherPriority: number;
  readonly groupOrder: GroupOrder;
  readonly groupId: number;
  readonly subgroupId: number;
};

const groupSpan = 4096;
const subgroupSpan = 4;

/**
 * draft-18 7.2 in one number: subscriber priority, then publisher priority, then the group by the order asked for, then the lower
 * subgroup. Groups count modulo 4096, so for a moment every 4096 groups two neighbours of one track may swap; subgroups from 3
 * on are equal.
 */
export function streamPriority(of: ObjectPriority): number {
  const group = of.groupId % groupSpan;
  const byGroup = of.groupOrder === 'ascending' ? groupSpan - 1 - group : group;
  const bySubgroup = subgroupSpan - 1 - Math.min(of.subgroupId, subgroupSpan - 1);
  const urgency = (255 - of.subscriberPriority) * 256 + (255 - of.publisherPriority);
  return (urgency * groupSpan + byGroup) * subgroupSpan + bySubgroup;
}
