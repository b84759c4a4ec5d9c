import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../fixtures/wire/annotated.ts';
import { controlCases, controlViolations } from '../../fixtures/wire/moqt-18/control.ts';
import {
  datagramCases,
  datagramViolations,
  subgroupCases,
  subgroupViolations,
} from '../../fixtures/wire/moqt-18/objects.ts';
import { draft18 } from '../../src/codec/moqt/draft18/draft18.ts';
import { MoqtError } from '../../src/codec/moqt/moqt-error.ts';
import { hex } from '../../src/core/bytes.ts';
import { expectEqual } from './expect-equal.ts';
import { mutateWildly as mutate, random } from './random.ts';

/** Pieces of random size. */
function* pieces(bytes: Uint8Array, next: () => number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + Math.floor(next() * 8);
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

type Run = { values: unknown[]; error: string | undefined };

function outcome(bytes: Iterable<Uint8Array>, push: (bytes: Uint8Array) => unknown[]): Run {
  const values: unknown[] = [];
  try {
    for (const piece of bytes) values.push(...push(piece));
    return { values, error: undefined };
  } catch (error) {
    if (!(error instanceof MoqtError)) throw error;
    return { values, error: error.message };
  }
}

const rounds = 20_000;
const control = [...controlCases, ...controlViolations].map(({ bytes }) => bytesOf(bytes));
const subgroups = [...subgroupCases, ...subgroupViolations].map(({ bytes }) => bytesOf(bytes));
const datagrams = [...datagramCases, ...datagramViolations].map(({ bytes }) => bytesOf(bytes));

describe('hostile bytes only ever throw MoqtError', () => {
  it('control streams, whole and in pieces alike', () => {
    const next = random(18);
    let decoded = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(control, next);
      const decoder = draft18.controlDecoder();
      const inPieces = draft18.controlDecoder();
      const whole = outcome([bytes], (chunk) => decoder.push(chunk));
      const parts = outcome(pieces(bytes, next), (chunk) => inPieces.push(chunk));
      expectEqual([hex(bytes), parts.error], [hex(bytes), whole.error]);
      if (whole.error === undefined) expectEqual(parts.values, whole.values);
      decoded += parts.values.length;
    }
    expect(decoded).toBeGreaterThan(rounds / 10);
  });

  it('what was decoded can be encoded and means the same', () => {
    const next = random(180);
    for (let round = 0; round < rounds; round++) {
      const { values } = outcome([mutate(control, next)], (chunk) => draft18.controlDecoder().push(chunk));
      for (const message of values as Parameters<typeof draft18.encodeMessage>[0][])
        expectEqual(draft18.controlDecoder().push(draft18.encodeMessage(message)), [message]);
    }
  });

  it('subgroup streams, whole and in pieces alike', () => {
    const next = random(19);
    let decoded = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(subgroups, next);
      const decoder = draft18.subgroupDecoder({ maxObjectBytes: 4096 });
      const inPieces = draft18.subgroupDecoder({ maxObjectBytes: 4096 });
      const whole = outcome([bytes], (chunk) => decoder.push(chunk));
      const parts = outcome(pieces(bytes, next), (chunk) => inPieces.push(chunk));
      expectEqual([hex(bytes), parts.error], [hex(bytes), whole.error]);
      if (whole.error === undefined) expectEqual(parts.values, whole.values);
      decoded += parts.values.length;
    }
    expect(decoded).toBeGreaterThan(rounds / 10);
  });

  it('datagrams', () => {
    const next = random(20);
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(datagrams, next);
      outcome([bytes], (chunk) => {
        const datagram = draft18.decodeDatagram(chunk);
        if (datagram !== undefined) expectEqual(draft18.decodeDatagram(draft18.encodeDatagram(datagram)), datagram);
        return [];
      });
    }
  });
});
