import { expect, it } from 'vitest';
import { PayloadStream } from '../../../src/codec/moqt/data/payload-stream.ts';
import { vi64 } from '../../../src/codec/moqt/varint.ts';
import type { WireReader } from '../../../src/codec/moqt/wire.ts';

/** Heads of a length-prefixed label and the length of their payload, and how often one was begun. */
function labelled() {
  let begun = 0;
  const stream = new PayloadStream(vi64, undefined, (reader: WireReader) => {
    begun++;
    const label = reader.lengthPrefixed().length;
    return { length: reader.varint(), item: (payload) => ({ label, payload: payload.length }) };
  });
  return { stream, begun: () => begun };
}

const wire = Uint8Array.of(100, ...new Uint8Array(100), 50, ...new Uint8Array(50));

it.each([1, 7, 200])('takes heads and payloads out of chunks of %i bytes', (size) => {
  const { stream } = labelled();
  const items: unknown[] = [];
  for (let at = 0; at < wire.length; at += size) items.push(...stream.push(wire.subarray(at, at + size)));
  expect(items).toEqual([{ label: 100, payload: 50 }]);
  expect(stream.idle).toBe(true);
});

it('begins a head that is cut again when what it wants next is there, and not before', () => {
  const { stream, begun } = labelled();
  for (let at = 0; at < wire.length; at++) stream.push(wire.subarray(at, at + 1));
  // The length of the label, the label, the length of the payload.
  expect(begun()).toBe(3);
});
