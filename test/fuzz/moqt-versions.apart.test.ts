import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../fixtures/wire/annotated.ts';
import * as control14 from '../../fixtures/wire/moqt-14/control.ts';
import * as objects14 from '../../fixtures/wire/moqt-14/objects.ts';
import * as control16 from '../../fixtures/wire/moqt-16/control.ts';
import * as control18 from '../../fixtures/wire/moqt-18/control.ts';
import { datagramCases, subgroupCases } from '../../fixtures/wire/moqt-18/objects.ts';
import * as control19 from '../../fixtures/wire/moqt-19/control.ts';
import * as control20 from '../../fixtures/wire/moqt-20/control.ts';
import type { FetchItem } from '../../src/codec/moqt/data/fetch-stream.ts';
import type { Dialect } from '../../src/codec/moqt/dialect.ts';
import { draft14 } from '../../src/codec/moqt/draft14/draft14.ts';
import { draft16 } from '../../src/codec/moqt/draft16/draft16.ts';
import { draft19 } from '../../src/codec/moqt/draft19/draft19.ts';
import { draft20, draft22 } from '../../src/codec/moqt/draft20/draft20.ts';
import type { Message } from '../../src/codec/moqt/message.ts';
import type { GroupOrder } from '../../src/codec/moqt/model.ts';
import { MoqtError } from '../../src/codec/moqt/moqt-error.ts';
import { concat, utf8 } from '../../src/core/bytes.ts';
import { expectEqual } from './expect-equal.ts';
import { mutate, random } from './random.ts';

const rounds = 5000;
const bytesOfAll = (...cases: { bytes: Parameters<typeof bytesOf>[0] }[][]) =>
  cases.flat().map(({ bytes }) => bytesOf(bytes));
const since18 = [...bytesOfAll([...control18.controlCases]), ...bytesOfAll([...control19.controlCases])];
const of20 = control20.controlCases;

/** Draft-18 has a test of its own; draft-21 is draft-20. */
const versions: { dialect: Dialect; control: Uint8Array[]; more: Uint8Array[] }[] = [
  {
    dialect: draft14,
    control: bytesOfAll([...control14.controlCases], [...control14.controlViolations]),
    more: bytesOfAll([...objects14.datagramCases]),
  },
  {
    dialect: draft16,
    control: bytesOfAll([...control16.controlCases], [...control16.controlViolations]),
    more: [],
  },
  {
    dialect: draft19,
    control: [...since18, ...bytesOfAll([...control19.controlViolations], [...control19.invalidFilters])],
    more: [],
  },
  { dialect: draft20, control: [...since18, ...bytesOfAll([...of20], [...control20.controlViolations])], more: [] },
  { dialect: draft22, control: [...since18, ...of20.map(({ bytes, in22 = bytes }) => bytesOf(in22))], more: [] },
];
// Small integers look the same in all drafts.
const objectSeeds = bytesOfAll([...subgroupCases], [...datagramCases]);

const item = (groupId: number, subgroupId: number, objectId: number, properties?: Uint8Array): FetchItem => ({
  kind: 'object',
  groupId,
  subgroupId,
  priority: 2 + groupId,
  object: { objectId, status: 'normal', properties, payload: utf8(`object ${objectId}`) },
});
const marker: FetchItem = { kind: 'endOfRange', unknown: false, groupId: 5, objectId: 4 };
const fetched: FetchItem[][] = [
  [item(1, 0, 0), item(1, 0, 1), item(1, 3, 7, Uint8Array.of(0x3c, 1))],
  [item(1, 0, 2, Uint8Array.of(0x3c, 1)), item(4, 1, 0), marker],
];

function fetchStream(dialect: Dialect, items: readonly FetchItem[], order: GroupOrder = 'ascending'): Uint8Array {
  const encoder = dialect.fetchEncoder(order);
  return concat(items.map((each) => encoder.encode(each)));
}

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
    const next = random(16);
    const written = (message: Message) => dialect.controlDecoder().push(dialect.encodeMessage(message))[0]!;
    let decoded = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(control, next);
      const [one, other] = [dialect.controlDecoder(), dialect.controlDecoder()];
      const whole = tried(() => one.push(bytes));
      expectEqual(
        tried(() => inBytes(bytes, (byte) => other.push(byte))),
        whole,
      );
      for (const message of whole.values) {
        // Once over the wire, as what the version cannot say is said in other words: reasons, or not at all: invalid filters.
        const same = written(message);
        expect(same.type).toBe(message.type);
        expectEqual(written(same), same);
      }
      decoded += whole.values.length;
    }
    expect(decoded).toBeGreaterThan(rounds / 20);
  });

  it('subgroups and datagrams', () => {
    const seeds = [...objectSeeds, ...more];
    const next = random(160);
    let decoded = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(seeds, next);
      const limits = { maxObjectBytes: 4096 };
      const [one, other] = [dialect.subgroupDecoder(limits), dialect.subgroupDecoder(limits)];
      const whole = tried(() => one.push(bytes));
      expectEqual(
        tried(() => inBytes(bytes, (byte) => other.push(byte))),
        whole,
      );
      decoded += whole.values.length;
      for (const datagram of tried(() => [dialect.decodeDatagram(bytes)]).values) {
        if (datagram !== undefined) expectEqual(dialect.decodeDatagram(dialect.encodeDatagram(datagram)), datagram);
      }
    }
    expect(decoded).toBeGreaterThan(rounds / 10);
  });

  it('fetch streams, whole and byte by byte alike, and what was read can be written', () => {
    const seeds = fetched.map((items) => fetchStream(dialect, items));
    const next = random(161);
    let decoded = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(seeds, next);
      const order = round % 2 === 0 ? 'ascending' : 'descending';
      const decoder = () => dialect.fetchDecoder(order, { maxObjectBytes: 4096 });
      const [one, other] = [decoder(), decoder()];
      const whole = tried(() => one.push(bytes));
      expectEqual(
        tried(() => inBytes(bytes, (byte) => other.push(byte))),
        whole,
      );
      const written = (items: readonly FetchItem[]) => decoder().push(fetchStream(dialect, items, order));
      // Once over the wire, as no properties and none written down are the same.
      const same = written(whole.values);
      expect(same.length).toBe(whole.values.length);
      expectEqual(written(same), same);
      decoded += whole.values.length;
    }
    expect(decoded).toBeGreaterThan(rounds / 10);
  });
});
