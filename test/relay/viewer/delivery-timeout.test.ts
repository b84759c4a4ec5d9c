import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { codes } from '../../../src/codec/moqt/codes.ts';
import { writeKeyValuePairs } from '../../../src/codec/moqt/fields/key-value-pairs.ts';
import { propertyTypes } from '../../../src/codec/moqt/fields/track-properties.ts';
import { vi64 } from '../../../src/codec/moqt/varint.ts';
import { WireWriter } from '../../../src/codec/moqt/wire.ts';
import { emptyBytes } from '../../../src/core/bytes.ts';
import type { RelayCore } from '../../../src/relay/relay.ts';
import type { IncomingSubgroup } from '../../../src/session/types.ts';
import { connect, nextGroup, object, TestPublisher, testRelay, track, watch } from '../harness.ts';

let relay: RelayCore;
// What is slow here is the clock: a busy machine makes nothing late.
beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(async () => {
  await relay.close();
  vi.useRealTimers();
});

function properties(pairs: { [K in keyof typeof propertyTypes]?: number }): Uint8Array {
  const writer = new WireWriter(vi64);
  const list = Object.entries(pairs).map(([name, value]) => ({
    type: propertyTypes[name as keyof typeof propertyTypes],
    value: BigInt(value),
  }));
  writeKeyValuePairs(writer, list);
  return writer.finish();
}

/** Reads at most up to the reset, and answers its code. */
async function resetCode(subgroup: IncomingSubgroup): Promise<number> {
  for (;;) {
    try {
      if ((await subgroup.next()) === null) return -1;
    } catch (error) {
      return (error as { resetCode: number }).resetCode;
    }
  }
}

const size = 4000;

/** A viewer whose stream takes one object, and does not read; and one who keeps up. */
async function slowViewer(
  options: { objectTimeoutMs?: number; subgroupTimeoutMs?: number },
  trackProperties: Uint8Array = emptyBytes,
) {
  relay = testRelay();
  const publisher = await TestPublisher.start(relay, (request) => {
    publisher.publications.push(request.accept({ alias: 7, trackProperties }));
  });
  const fast = await (await watch(relay)).session.subscribe(track);
  const { session } = await connect(relay, '/playback/lv_one', { highWaterBytes: size });
  const slow = await session.subscribe(track, options);
  return { publisher, fast, slow };
}

describe('delivery timeouts', () => {
  it.each([
    ['of the subscriber', { objectTimeoutMs: 20 }, {}],
    ['of the publisher', {}, { objectDeliveryTimeout: 20 }],
    ['the smaller one of both', { objectTimeoutMs: 60_000 }, { objectDeliveryTimeout: 20 }],
  ])('an object that waited too long resets its stream: %s', async (_, terms, pairs) => {
    const { publisher, fast, slow } = await slowViewer(terms, properties(pairs));
    const writer = publisher.open(1);
    for (let id = 0; id < 6; id++) writer.write(object(1, id, size));
    const subgroup = (await slow.nextSubgroup())!;
    await vi.advanceTimersByTimeAsync(40);
    expect(await resetCode(subgroup)).toBe(codes.streamReset.deliveryTimeout);
    writer.finish();
    expect(await nextGroup(fast)).toMatchObject({ ids: [0, 1, 2, 3, 4, 5], end: 'fin' });
    publisher.group(2, [10]);
    expect(await nextGroup(slow)).toMatchObject({ group: 2, end: 'fin' });
  });

  it('a complete subgroup that is not taken in time is reset', async () => {
    const { publisher, fast, slow } = await slowViewer({ subgroupTimeoutMs: 20 });
    publisher.group(1, [size, size, size, size, size]);
    expect(await nextGroup(fast)).toMatchObject({ end: 'fin' });
    const subgroup = (await slow.nextSubgroup())!;
    await vi.advanceTimersByTimeAsync(40);
    expect(await resetCode(subgroup)).toBe(codes.streamReset.deliveryTimeout);
  });

  it('a subgroup that is still growing has no such timeout', async () => {
    const { publisher, fast, slow } = await slowViewer({ subgroupTimeoutMs: 20 });
    const writer = publisher.open(1);
    for (let id = 0; id < 4; id++) writer.write(object(1, id, size));
    const growing = (await fast.nextSubgroup())!;
    for (let id = 0; id < 4; id++) await growing.next();
    await vi.advanceTimersByTimeAsync(40);
    writer.finish();
    expect(await nextGroup(slow)).toMatchObject({ ids: [0, 1, 2, 3], end: 'fin' });
  });
});
