import { describe, expect, it } from 'vitest';
import { judge, kinds } from './vectors/judge.ts';
import { expectedFailures } from './vectors/moqtail-failures.ts';
import { fixture, type Vector } from './vectors/vectors.ts';

/** moqtail (Rust) is a second opinion on draft-22. Known failures may only become fewer. */
describe('vectors of moqtail, draft-22', () => {
  const vectors = fixture<Vector>('moqtail', 'draft-22.json');
  let known = 0;

  it.each(kinds)('%s', (kind) => {
    known += judge(22, kind, vectors, expectedFailures);
  });

  it('has no more known failures than before', () => {
    expect(known).toBeLessThanOrEqual(53);
  });
});
