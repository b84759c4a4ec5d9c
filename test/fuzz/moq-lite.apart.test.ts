import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../fixtures/wire/annotated.ts';
import { framesCases } from '../../fixtures/wire/moq-lite/frames.ts';
import { messageCases, responseCases, violations } from '../../fixtures/wire/moq-lite/messages.ts';
import { decodeDatagram, encodeDatagramTail, objectOf, withSubscribeId } from '../../src/codec/moqt/lite/datagram.ts';
import { encodeFrame, FrameDecoder } from '../../src/codec/moqt/lite/frames.ts';
import { encodeMessage, type MessageCodec } from '../../src/codec/moqt/lite/message.ts';
import { StreamBuffer } from '../../src/codec/moqt/lite/stream-buffer.ts';
import { encodeSubscribeResponse, subscribeResponseCodec } from '../../src/codec/moqt/lite/subscribe-response.ts';
import { timestampOf, trackInfoOf, trackPropertiesOf } from '../../src/codec/moqt/lite/timestamp.ts';
import { type LiteVersion, liteProtocols } from '../../src/codec/moqt/lite/version.ts';
import { MoqtError } from '../../src/codec/moqt/moqt-error.ts';
import { concat } from '../../src/core/bytes.ts';
import { expectEqual } from './expect-equal.ts';
import { mutate, random } from './random.ts';

const rounds = 10_000;
const messages = [...messageCases, ...violations];
const messageSeeds = messages.map(({ bytes }) => bytesOf(bytes));
const responseSeeds = responseCases.map(({ bytes }) => bytesOf(bytes));
const frameSeeds = framesCases.map(({ bytes }) => bytesOf(bytes));

/** What came out before it threw, which only MoqtError may be. */
function tried<T>(run: () => T): T | 'refused' {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof MoqtError)) throw error;
    return 'refused';
  }
}

/** All at once, and byte by byte. */
function read<T>(version: LiteVersion, bytes: Uint8Array, take: (buffer: StreamBuffer) => T | undefined) {
  const whole = tried(() => {
    const buffer = new StreamBuffer(version);
    buffer.push(bytes);
    return take(buffer);
  });
  const piecemeal = tried(() => {
    const buffer = new StreamBuffer(version);
    for (const byte of bytes) {
      buffer.push(Uint8Array.of(byte));
      const value = take(buffer);
      if (value !== undefined) return value;
    }
    return undefined;
  });
  expectEqual(piecemeal, whole);
  return whole;
}

describe.each(liteProtocols)('hostile bytes in %s only ever throw MoqtError', (version) => {
  it('messages, and what was read can be written', () => {
    const next = random(5);
    let decoded = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(messageSeeds, next);
      const { codec } = messages[round % messages.length]!;
      const value = read(version, bytes, (buffer) => buffer.message(codec as MessageCodec<object>));
      if (value === undefined || value === 'refused') continue;
      decoded++;
      const again = new StreamBuffer(version);
      again.push(encodeMessage(codec, value, version));
      expectEqual(again.message(codec), value);
    }
    expect(decoded).toBeGreaterThan(rounds / 50);
  });

  it('answers to SUBSCRIBE', () => {
    const next = random(50);
    let decoded = 0;
    for (let round = 0; round < rounds; round++) {
      const codec = subscribeResponseCodec(version);
      const value = read(version, mutate(responseSeeds, next), (buffer) => buffer.typed(codec));
      if (value === undefined || value === 'refused') continue;
      decoded++;
      const again = new StreamBuffer(version);
      again.push(encodeSubscribeResponse(value, version));
      expectEqual(again.typed(codec), value);
    }
    expect(decoded).toBeGreaterThan(rounds / 20);
  });

  it('frames, and what was read can be written', () => {
    const next = random(500);
    let decoded = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(frameSeeds, next);
      const [one, other] = [0, 1].map(() => new FrameDecoder(version, { maxObjectBytes: 4096 }));
      const whole = tried(() => one!.push(bytes));
      expectEqual(
        tried(() => [...bytes].flatMap((byte) => other!.push(Uint8Array.of(byte)))),
        whole,
      );
      if (whole === 'refused') continue;
      decoded += whole.length;
      const written = whole.map((object, i) =>
        encodeFrame(version, i === 0 ? undefined : i - 1, object, whole[i - 1]?.properties),
      );
      const again = new FrameDecoder(version);
      expectEqual(again.push(concat([new Uint8Array(0), ...written])), whole);
    }
    expect(decoded).toBeGreaterThan(rounds / 20);
  });
});

describe('hostile bytes throw nothing', () => {
  it('as datagrams', () => {
    const next = random(7);
    for (let round = 0; round < rounds; round++) {
      const datagram = decodeDatagram(mutate(frameSeeds, next));
      if (datagram === undefined) continue;
      const { groupId, subscribeId } = datagram;
      const tail = encodeDatagramTail({ groupId, endOfGroup: true, object: objectOf(datagram) })!;
      expectEqual(decodeDatagram(withSubscribeId(subscribeId, tail)!), datagram);
    }
  });

  it('as properties of objects and tracks', () => {
    const next = random(70);
    const seeds = [trackPropertiesOf({ priority: 9, ordered: false, maxLatencyMs: 70_000, timescale: 90_000 })];
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(seeds, next);
      const info = trackInfoOf(bytes);
      expectEqual(trackInfoOf(trackPropertiesOf(info)), info);
      const object = { objectId: round % 100, status: 'normal', properties: bytes, payload: bytes } as const;
      const frame = encodeFrame('moq-lite-05', undefined, object, undefined);
      const read = new FrameDecoder('moq-lite-05').push(frame);
      const timestamp = timestampOf(bytes) ?? 0n;
      expect(read).toHaveLength(object.objectId <= 64 ? object.objectId + 1 : 1);
      expect(timestampOf(read.at(-1)!.properties)).toBe(timestamp < 2n ** 61n ? timestamp : 0n);
    }
  });
});
