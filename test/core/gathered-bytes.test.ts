import { expect, it } from 'vitest';
import { GatheredBytes } from '../../src/core/gathered-bytes.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

it('hands out all pieces in their order, and begins anew', () => {
  const gathered = new GatheredBytes();
  for (const piece of [bytes(), bytes(1, 2), bytes(3), bytes(), bytes(4, 5, 6)]) gathered.push(piece);
  expect(gathered.length).toBe(6);
  expect(gathered.take()).toEqual(bytes(1, 2, 3, 4, 5, 6));
  expect([gathered.length, gathered.take()]).toEqual([0, bytes()]);
  gathered.push(bytes(7));
  expect(gathered.take()).toEqual(bytes(7));
});

it('writes into no array that it was given', () => {
  const gathered = new GatheredBytes();
  const first = new Uint8Array(8).subarray(0, 2);
  gathered.push(first);
  gathered.push(bytes(9));
  expect([...new Uint8Array(first.buffer)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
});

it('needs no more than a whole of known length', () => {
  const gathered = new GatheredBytes();
  for (let i = 0; i < 5; i++) gathered.push(bytes(i), 5);
  expect(gathered.take().buffer.byteLength).toBe(5);
});
