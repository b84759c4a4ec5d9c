import { readFileSync } from 'node:fs';
import { fromHex, hex, utf8 } from '../../../src/core/bytes.ts';

/** A tree of what a vector says: integers above 2^53-1 are strings of digits, bytes begin with `0x`. */
export type Field = number | string | boolean | readonly Field[] | { readonly [name: string]: Field };
export type Fields = { readonly [name: string]: Field };

export type Vector = {
  readonly kind: 'control' | 'subgroup' | 'fetch' | 'datagram';
  readonly name: string;
  /** Of a control message. */
  readonly message?: string;
  readonly hex: string;
  /** Of the groups of a fetch; absent: they ascend. */
  readonly order?: 'descending';
  /** What its maker writes for the same, where that is not `hex`. */
  readonly canonical?: string;
  readonly fields?: Fields;
  /** Why its maker refuses it; then there are no fields. */
  readonly error?: string;
};

const folder = new URL('../../../fixtures/wire/', import.meta.url);

export function fixture<T>(maker: 'moqtap' | 'moqtail', file: string): readonly T[] {
  return JSON.parse(readFileSync(new URL(`${maker}/${file}`, folder), 'utf8'));
}

/** Whatever stands there 32 times and more is written as `(6e*2000)`. */
function unrolled(text: string): string {
  return text.replace(/\((..?)\*(\d+)\)/gsu, (_, one: string, times: string) => one.repeat(Number(times)));
}

export function bytesOf(hex: string): Uint8Array {
  return fromHex(unrolled(hex));
}

export const invalidRangeFilter: Fields = { type: 'range filter', value: 'invalid' };

/** moqtap keeps the bytes of one that it cannot read, and says what is wrong with one that it can. */
function isInvalidFilter({ type, value }: Fields): boolean {
  if (!['0x25', '0x26', '0x27', '0x28', '0x29'].includes(String(type))) return false;
  return typeof value === 'string' || (typeof value === 'object' && 'violates' in value);
}

/** As the test compares them: without the names beside the types, which say nothing more, and unrolled. */
export function plain(field: Field): Field {
  if (typeof field === 'string') return unrolled(field);
  if (Array.isArray(field)) return field.map(plain);
  if (typeof field !== 'object') return field;
  const isPair = 'type' in field;
  if (isPair && isInvalidFilter(field as Fields)) return invalidRangeFilter;
  // Immutable extensions of draft-16 are said as text, those of later drafts as bytes.
  if (isPair && 'value' in field && field.type === '0xb')
    return { type: '0xb', raw_hex: `0x${hex(utf8(String(field.value)))}` };
  return Object.fromEntries(
    Object.entries(field)
      .filter(([name]) => !(isPair && name === 'name'))
      .map(([name, value]) => [name, plain(value)]),
  );
}
