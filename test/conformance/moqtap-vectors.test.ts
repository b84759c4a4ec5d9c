import { describe, expect, it } from 'vitest';
import { dialectFor } from '../../src/codec/moqt/dialects.ts';
import { control } from './moqtap/compare.ts';
import { expectedFailures } from './moqtap/expected-failures.ts';
import { datagram, fetch, subgroup } from './moqtap/objects.ts';
import { fixture, type Vector } from './moqtap/vectors.ts';

/** Draft-21 has the bytes of draft-20. */
const drafts = [
  { draft: 14, file: 'draft-14.json' },
  { draft: 16, file: 'draft-16.json' },
  { draft: 18, file: 'draft-18.json' },
  { draft: 19, file: 'draft-19.json' },
  { draft: 20, file: 'draft-20.json' },
  { draft: 21, file: 'draft-20.json' },
  { draft: 22, file: 'draft-22.json' },
];

const compare = { control, subgroup, fetch, datagram };
const kinds = Object.keys(compare) as Vector['kind'][];

/** No more vectors than this fail, of all drafts. Lower it with the list. */
const most = 726;

/** moqtap-codec (Rust) is another maker's codec: what it reads and refuses, we read as the same and refuse. */
describe.each(drafts)('vectors of moqtap-codec, draft-$draft', ({ draft, file }) => {
  const dialect = dialectFor(`moqt-${draft}`)!;
  const vectors = fixture<Vector>(file);

  it.each(kinds)('%s', (kind) => {
    const known = expectedFailures.filter((entry) => entry.kind === kind && entry.drafts.includes(draft));
    const ofKind = vectors.filter((vector) => vector.kind === kind);
    expect(ofKind.length).toBeGreaterThan(100);
    const surprises = ofKind.flatMap((vector) => {
      const found = compare[kind](draft, dialect, vector);
      const isKnown = known.some(({ names }) => names.test(vector.name));
      if (isKnown === (found !== undefined)) return [];
      return [`${vector.name}: ${found ?? 'works, though it is a known failure'}`];
    });
    expect(surprises).toEqual([]);
    const idle = known.filter(({ names }) => !ofKind.some(({ name }) => names.test(name)));
    expect(idle.map(({ names }) => names.source)).toEqual([]);
  });
});

it('no more than those fail', () => {
  const failures = drafts.flatMap(({ draft, file }) =>
    fixture<Vector>(file).filter(({ kind, name }) =>
      expectedFailures.some((one) => one.kind === kind && one.drafts.includes(draft) && one.names.test(name)),
    ),
  );
  expect(failures.length).toBeLessThanOrEqual(most);
});
