import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../fixtures/wire/annotated.ts';
import * as control14 from '../../fixtures/wire/moqt-14/control.ts';
import * as objects14 from '../../fixtures/wire/moqt-14/objects.ts';
import * as control16 from '../../fixtures/wire/moqt-16/control.ts';
import { datagramCases, subgroupCases } from '../../fixtures/wire/moqt-18/objects.ts';
import { draft14 } from '../../src/codec/moqt/draft14.ts';
import { draft16 } from '../../src/codec/moqt/draft16.ts';
import type { Message } from '../../src/codec/moqt/message.ts';
import { MoqtError } from '../../src/codec/moqt/moqt-error.ts';
import { mutate, random } from './random.ts';

const rounds = 10_000;
const versions = [
  { dialect: draft16, control: control16, more: [] },
  { dialect: draft14, control: control14, more: [...objects14.fetchCases, ...objects14.datagramCases] },
];
// Small integers look the same in all drafts.
const objectSeeds = [...subgroupCases, ...datagramCases];

/** What came out before it threw, which only MoqtError may be. */
function tried<T>(run: () => T[]): { values: T[]; failed: boolean } {
  try {
    return { values: run(), failed: false };
  } catch (error) {
    if (!(error instanceof MoqtError)) throw error;
    return { values: [], failed: true };
  }
}

function inBytes<T>(bytes: Uint8Array, push: (bytes: Uint8Array) => T[]): T[] {
  return [...bytes].flatMap((byte) => push(Uint8Array.of(byte)));
}

describe.each(versions)('hostile bytes in $dialect.version only ever throw MoqtError', ({ dialect, control, more }) => {
  it('control messages, whole and byte by byte alike, and what was read can be written', () => {
    const seeds = [...control.controlCases, ...control.controlViolations].map(({ bytes }) => bytesOf(bytes));
    const next = random(16);
    const written = (message: Message) => dialect.controlDecoder().push(dialect.encodeMessage(message))[0]!;
    let decoded = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(seeds, next);
      const [one, other] = [dialect.controlDecoder(), dialect.controlDecoder()];
      const whole = tried(() => one.push(bytes));
      expect(tried(() => inBytes(bytes, (byte) => other.push(byte)))).toEqual(whole);
      for (const message of whole.values) {
        // Once over the wire, as reasons that the version does not know become INTERNAL_ERROR.
        const same = written(message);
        expect(same.type).toBe(message.type);
        expect(written(same)).toEqual(same);
      }
      decoded += whole.values.length;
    }
    expect(decoded).toBeGreaterThan(rounds / 20);
  });

  it('subgroups, fetch streams and datagrams', () => {
    const seeds = [...objectSeeds, ...more].map(({ bytes }) => bytesOf(bytes));
    const next = random(160);
    let decoded = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(seeds, next);
      const limits = { maxObjectBytes: 4096 };
      const [one, other] = [dialect.subgroupDecoder(limits), dialect.subgroupDecoder(limits)];
      const whole = tried(() => one.push(bytes));
      expect(tried(() => inBytes(bytes, (byte) => other.push(byte)))).toEqual(whole);
      decoded += whole.values.length;
      tried(() => dialect.fetchDecoder('ascending', limits).push(bytes));
      tried(() => [dialect.decodeDatagram(bytes)]);
    }
    expect(decoded).toBeGreaterThan(rounds / 10);
  });
});
