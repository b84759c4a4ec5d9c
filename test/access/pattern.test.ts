import { describe, expect, it } from 'vitest';
import { allows } from '../../src/access/grant.ts';
import { anyField, covers, everythingBelow, matches, reaches } from '../../src/access/pattern.ts';

const exact = (...fields: (string | typeof anyField)[]) => ({ fields, below: false });

describe('a namespace pattern', () => {
  it('compares whole fields, never their beginnings', () => {
    expect(matches(everythingBelow(['foo']), ['foo'])).toBe(true);
    expect(matches(everythingBelow(['foo']), ['foo', 'bar'])).toBe(true);
    expect(matches(everythingBelow(['foo']), ['foobar'])).toBe(false);
    expect(matches(everythingBelow([]), ['anything'])).toBe(true);
    expect(matches(exact('foo'), ['foo', 'bar'])).toBe(false);
  });

  it('has a field that stands for any one', () => {
    expect(matches(exact('live', anyField), ['live', 'a'])).toBe(true);
    expect(matches(exact('live', anyField), ['live'])).toBe(false);
    expect(matches(exact('live', anyField), ['live', 'a', 'b'])).toBe(false);
  });

  it('reaches what is above and below it', () => {
    expect(reaches(everythingBelow(['demo', 'room']), [])).toBe(true);
    expect(reaches(everythingBelow(['demo', 'room']), ['demo'])).toBe(true);
    expect(reaches(everythingBelow(['demo', 'room']), ['demo', 'room', 'deep'])).toBe(true);
    expect(reaches(everythingBelow(['demo', 'room']), ['other'])).toBe(false);
    expect(reaches(exact('demo'), ['demo', 'room'])).toBe(false);
  });

  it('covers what is narrower only', () => {
    expect(covers(everythingBelow(['live']), everythingBelow(['live', 'a']))).toBe(true);
    expect(covers(everythingBelow(['live']), exact('live'))).toBe(true);
    expect(covers(everythingBelow(['live']), everythingBelow(['lively']))).toBe(false);
    expect(covers(everythingBelow(['live', 'a']), everythingBelow(['live']))).toBe(false);
    expect(covers(exact('live'), everythingBelow(['live']))).toBe(false);
    expect(covers(exact('live', anyField), exact('live', 'a'))).toBe(true);
    expect(covers(exact('live', 'a'), exact('live', anyField))).toBe(false);
  });

  it('stands beside exact namespaces in a grant', () => {
    expect(allows([['a', 'b'], everythingBelow(['c'])], ['a', 'b'])).toBe(true);
    expect(allows([['a', 'b'], everythingBelow(['c'])], ['a', 'b', 'd'])).toBe(false);
    expect(allows([['a', 'b'], everythingBelow(['c'])], ['c', 'd'])).toBe(true);
  });
});
