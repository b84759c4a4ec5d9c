import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../fixtures/wire/annotated.ts';
import { controlCases, controlViolations } from '../../fixtures/wire/moqt-16/control.ts';
import { datagramCases, subgroupCases } from '../../fixtures/wire/moqt-18/objects.ts';
import { draft16 } from '../../src/codec/moqt/draft16.ts';
import type { Message } from '../../src/codec/moqt/message.ts';
import { MoqtError } from '../../src/codec/moqt/moqt-error.ts';
import { mutate, random } from './random.ts';

const rounds = 10_000;
const control = [...controlCases, ...controlViolations].map(({ bytes }) => bytesOf(bytes));
// Small integers look the same in both drafts.
const objects = [...subgroupCases, ...datagramCases].map(({ bytes }) => bytesOf(bytes));

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

describe('hostile bytes in draft-16 only ever throw MoqtError', () => {
  it('control messages, whole and byte by byte alike, and what was read can be written', () => {
    const next = random(16);
    const written = (message: Message) => draft16.controlDecoder().push(draft16.encodeMessage(message))[0]!;
    let decoded = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(control, next);
      const [one, other] = [draft16.controlDecoder(), draft16.controlDecoder()];
      const whole = tried(() => one.push(bytes));
      expect(tried(() => inBytes(bytes, (byte) => other.push(byte)))).toEqual(whole);
      for (const message of whole.values) {
        // Once over the wire, as reasons that draft-16 does not know become INTERNAL_ERROR.
        const same = written(message);
        expect(same.type).toBe(message.type);
        expect(written(same)).toEqual(same);
      }
      decoded += whole.values.length;
    }
    expect(decoded).toBeGreaterThan(rounds / 20);
  });

  it('subgroups, fetch streams and datagrams', () => {
    const next = random(160);
    let decoded = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(objects, next);
      const limits = { maxObjectBytes: 4096 };
      const [one, other] = [draft16.subgroupDecoder(limits), draft16.subgroupDecoder(limits)];
      const whole = tried(() => one.push(bytes));
      expect(tried(() => inBytes(bytes, (byte) => other.push(byte)))).toEqual(whole);
      decoded += whole.values.length;
      tried(() => draft16.fetchDecoder('ascending', limits).push(bytes));
      tried(() => [draft16.decodeDatagram(bytes)]);
    }
    expect(decoded).toBeGreaterThan(rounds / 10);
  });
});
