import { expect } from 'vitest';
import { dialectFor } from '../../../src/codec/moqt/dialects.ts';
import { control } from './compare.ts';
import { datagram, fetch, subgroup } from './objects.ts';
import type { Vector } from './vectors.ts';

const compare = { control, subgroup, fetch, datagram };
export const kinds = Object.keys(compare) as Vector['kind'][];

/**
 * Vectors that we do not read as their maker does, and why. The list may only shrink: a vector that works though it is in here fails, as does an
 * entry that names none. `theirs`: the draft says otherwise. `choice`: the draft leaves it open, or we leave it out on purpose. `ours`: to be done.
 */
export type ExpectedFailure = {
  readonly drafts: readonly number[];
  readonly kind: Vector['kind'];
  readonly names: RegExp;
  readonly whose: 'theirs' | 'choice' | 'ours';
  readonly why: string;
};

/** All vectors of a kind, but those known to fail, agree with us; the known ones do fail. Answers how many they are. */
export function judge(
  draft: number,
  kind: Vector['kind'],
  vectors: readonly Vector[],
  failures: readonly ExpectedFailure[],
): number {
  const dialect = dialectFor(`moqt-${draft}`)!;
  const known = failures.filter((entry) => entry.kind === kind && entry.drafts.includes(draft));
  const ofKind = vectors.filter((vector) => vector.kind === kind);
  const isKnown = ({ name }: Vector) => known.some(({ names }) => names.test(name));
  const surprises = ofKind.flatMap((vector) => {
    const found = compare[kind](draft, dialect, vector);
    if (isKnown(vector) === (found !== undefined)) return [];
    return [`${vector.name}: ${found ?? 'works, though it is a known failure'}`];
  });
  expect(surprises).toEqual([]);
  const idle = known.filter(({ names }) => !ofKind.some(({ name }) => names.test(name)));
  expect(idle.map(({ names }) => names.source)).toEqual([]);
  expect(ofKind.length).toBeGreaterThan(0);
  return ofKind.filter(isKnown).length;
}
