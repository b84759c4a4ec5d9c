import { describe, expect, it } from 'vitest';
import { crc32, isId, isKey, newId, newKey, parseKey, requireId } from '../../src/core/ids.ts';

describe('ids', () => {
  it('are prefix and 22 base62 digits, and differ', () => {
    const ids = new Set(Array.from({ length: 1000 }, () => newId('lv')));
    expect(ids.size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^lv_[0-9A-Za-z]{22}$/);
  });

  it('match their own prefix only', () => {
    const id = newId('as');
    expect(isId('as', id)).toBe(true);
    expect(isId('lv', id)).toBe(false);
    expect(isId('org', 'org_local')).toBe(true);
  });

  it.each([
    '',
    'lv_',
    '../lv',
    'lv_../../../../etc/passwd00',
    `${newId('lv')}/`,
    `${newId('lv')}\n`,
    ` ${newId('lv')}`,
  ])('refuses %j', (text) => {
    expect(isId('lv', text)).toBe(false);
    expect(() => requireId('lv', text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('keys', () => {
  it('checks CRC-32 against its check value', () => expect(crc32('123456789')).toBe(0xcbf43926));

  it('parse back, and hide themselves in display', () => {
    const key = newKey('sk_live');
    expect(key).toMatch(/^sk_live_[0-9A-Za-z]{28}$/);
    const parsed = parseKey(key);
    expect(parsed?.prefix).toBe('sk_live');
    expect(parsed?.display).toBe(`sk_live_…${key.slice(-4)}`);
    expect(isKey('sk_live', key)).toBe(true);
    expect(isKey('ak_live', key)).toBe(false);
  });

  it('recognise every one-character typo and every swap of neighbours', () => {
    const key = newKey('ak_live');
    for (let i = 8; i < key.length; i++) {
      for (const other of 'aZ05') {
        if (other === key[i]) continue;
        expect(parseKey(key.slice(0, i) + other + key.slice(i + 1))).toBeUndefined();
      }
      if (i + 1 < key.length && key[i] !== key[i + 1]) {
        expect(parseKey(key.slice(0, i) + key[i + 1] + key[i] + key.slice(i + 2))).toBeUndefined();
      }
    }
    expect(parseKey(key.slice(0, -1))).toBeUndefined();
    expect(parseKey(`${key}\n`)).toBeUndefined();
    expect(parseKey(key.replace('ak_live', 'sk_live'))).toBeUndefined();
  });
});
