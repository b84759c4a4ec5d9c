import { describe, expect, it } from 'vitest';
import { judge, kinds } from './vectors/judge.ts';
import { expectedFailures } from './vectors/moqtap-failures.ts';
import { fixture, type Vector } from './vectors/vectors.ts';

/** moqtap-codec (Rust) is another maker's codec: what it reads and refuses, we read as the same and refuse. Known failures may only become fewer. */
describe.each([
  { draft: 14, file: 'draft-14.json', failures: 79 },
  { draft: 16, file: 'draft-16.json', failures: 58 },
  { draft: 18, file: 'draft-18.json', failures: 41 },
  { draft: 19, file: 'draft-19.json', failures: 47 },
  { draft: 20, file: 'draft-20.json', failures: 59 },
  // The same bytes.
  { draft: 21, file: 'draft-20.json', failures: 59 },
  { draft: 22, file: 'draft-22.json', failures: 59 },
])('vectors of moqtap-codec, draft-$draft', ({ draft, file, failures }) => {
  const vectors = fixture<Vector>('moqtap', file);
  let known = 0;

  it.each(kinds)('%s', (kind) => {
    known += judge(draft, kind, vectors, expectedFailures);
  });

  it('has no more known failures than before', () => {
    expect(known).toBeLessThanOrEqual(failures);
  });
});
