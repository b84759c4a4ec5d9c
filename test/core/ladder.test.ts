import { describe, expect, it } from 'vitest';
import { formatLadder, parseLadder } from '../../src/core/ladder.ts';

describe('a ladder', () => {
  it.each([
    ['none', { kind: 'none' }, 'none'],
    ['auto', { kind: 'auto', always: false }, 'auto'],
    ['Auto, always', { kind: 'auto', always: true }, 'auto,always'],
    ['480p,720p:2500k', { kind: 'rungs', always: false, rungs: [rung(720, 2_500_000), rung(480)] }, '720p:2500k,480p'],
    ['720:1.5m,always', { kind: 'rungs', always: true, rungs: [rung(720, 1_500_000)] }, '720p:1500k,always'],
    ['360p:123456', { kind: 'rungs', always: false, rungs: [rung(360, 123_456)] }, '360p:123456'],
  ])('reads %s', (text, value, formatted) => {
    expect(parseLadder(text)).toEqual(value);
    expect(formatLadder(parseLadder(text))).toBe(formatted);
    expect(parseLadder(formatted)).toEqual(value);
  });

  it.each([
    '',
    'all',
    'none,always',
    'always',
    '720p,720p',
    '721p',
    '100p',
    '4000p',
    '720p:1k',
    '720p:60m',
    '720p:',
    'auto,720p',
  ])('refuses "%s"', (text) => {
    expect(() => parseLadder(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });

  it('has at most six rungs', () => {
    const rungs = (count: number) => Array.from({ length: count }, (_, i) => `${200 + 2 * i}p`).join(',');
    expect(parseLadder(rungs(6))).toMatchObject({ kind: 'rungs' });
    expect(() => parseLadder(rungs(7))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

function rung(height: number, bitrate?: number) {
  return { height, bitrate };
}
