import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../../fixtures/wire/annotated.ts';
import { framesCases } from '../../../../fixtures/wire/moq-lite/frames.ts';
import {
  decodeDatagram,
  encodeDatagramTail,
  maxDatagramBytes,
  objectOf,
  withSubscribeId,
} from '../../../../src/codec/moqt/lite/datagram.ts';
import { encodeFrame, FrameDecoder } from '../../../../src/codec/moqt/lite/frames.ts';
import { liteObjects } from '../../../../src/codec/moqt/lite/objects.ts';
import {
  timestampOf,
  timestampProperty,
  trackInfoOf,
  trackPropertiesOf,
} from '../../../../src/codec/moqt/lite/timestamp.ts';
import type { MoqObject } from '../../../../src/codec/moqt/model.ts';
import { concat, utf8 } from '../../../../src/core/bytes.ts';

const none = new Uint8Array(0);

function objectsOf(frames: (typeof framesCases)[number]['frames']): MoqObject[] {
  return frames.map(({ timestamp, payload }, objectId) => ({
    objectId,
    status: 'normal',
    properties: timestamp === undefined ? undefined : timestampProperty(timestamp),
    payload: utf8(payload),
  }));
}

function object(objectId: number, payload: string, properties?: Uint8Array): MoqObject {
  return { objectId, status: 'normal', properties, payload: utf8(payload) };
}

describe('frames', () => {
  for (const { name, version, frames, bytes } of framesCases) {
    it(name, () => {
      const wire = bytesOf(bytes);
      const objects = objectsOf(frames);
      const whole = new FrameDecoder(version);
      expect(whole.push(wire)).toEqual(objects);
      whole.finish();
      const piecemeal = new FrameDecoder(version);
      expect([...wire].flatMap((byte) => piecemeal.push(Uint8Array.of(byte)))).toEqual(objects);
      const written = objects.map((each, i) =>
        liteObjects[version].encodeObject(objects[i - 1]?.objectId, each, true, objects[i - 1]?.properties),
      );
      expect(concat(written)).toEqual(wire);
    });
  }

  it('objects that are missing become empty frames, so that the others keep their numbers', () => {
    const decoder = new FrameDecoder('moq-lite-05');
    const [first, later] = [timestampProperty(50n), timestampProperty(90n)];
    const bytes = concat([
      encodeFrame('moq-lite-05', undefined, object(1, 'b', first), undefined),
      encodeFrame('moq-lite-05', 1, object(4, 'e', later), first),
    ]);
    expect(decoder.push(bytes)).toEqual([
      object(0, '', first),
      object(1, 'b', first),
      object(2, '', later),
      object(3, '', later),
      object(4, 'e', later),
    ]);
  });

  it('a status, and a gap that is too long, take no bytes', () => {
    expect(encodeFrame('moq-lite-04', 3, { ...object(4, ''), status: 'endOfGroup' }, undefined)).toEqual(none);
    expect(encodeFrame('moq-lite-04', 0, object(1_000_000, 'x'), undefined)).toEqual(Uint8Array.of(1, 0x78));
  });

  it('properties that are not ours do no harm', () => {
    const broken = Uint8Array.of(0x10);
    expect(encodeFrame('moq-lite-05', undefined, object(0, 'x', broken), undefined)).toEqual(Uint8Array.of(0, 1, 0x78));
    const huge = concat([Uint8Array.of(0x10, 0xff), new Uint8Array(8).fill(0xff)]);
    expect(encodeFrame('moq-lite-05', undefined, object(0, 'x', huge), undefined)).toEqual(Uint8Array.of(0, 1, 0x78));
    expect(timestampOf(Uint8Array.of(0x02, 0x05, 0x0e, 0x2a))).toBe(42n);
  });

  it('what is too large, or before the beginning of time, is refused', () => {
    expect(() => new FrameDecoder('moq-lite-04', { maxObjectBytes: 10 }).push(Uint8Array.of(11))).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
    expect(() => new FrameDecoder('moq-lite-05').push(Uint8Array.of(1, 0))).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_VIOLATION' }),
    );
    const cut = new FrameDecoder('moq-lite-04');
    cut.push(Uint8Array.of(2, 1));
    expect(() => cut.finish()).toThrow(expect.objectContaining({ code: 'PROTOCOL_VIOLATION' }));
  });
});

describe('datagrams of moq-lite-05', () => {
  const datagram = { groupId: 70, endOfGroup: true, object: object(0, 'hi', timestampProperty(9n)) };

  it('are subscribe id, group, timestamp and payload', () => {
    const tail = encodeDatagramTail(datagram)!;
    expect(tail).toEqual(bytesOf([['4046 09 6869', 'group 70, time 9, "hi"']]));
    const whole = withSubscribeId(3, tail)!;
    expect(whole).toEqual(concat([Uint8Array.of(3), tail]));
    const read = decodeDatagram(whole)!;
    expect(read).toEqual({ subscribeId: 3, groupId: 70, timestamp: 9n, payload: utf8('hi') });
    expect(objectOf(read)).toEqual(datagram.object);
  });

  it('exist for single objects of at most 1200 bytes', () => {
    expect(encodeDatagramTail({ ...datagram, object: object(1, 'x') })).toBeUndefined();
    expect(withSubscribeId(1, new Uint8Array(maxDatagramBytes))).toBeUndefined();
    expect(decodeDatagram(new Uint8Array(maxDatagramBytes + 1))).toBeUndefined();
    expect(decodeDatagram(Uint8Array.of(1, 0x40))).toBeUndefined();
    expect(liteObjects['moq-lite-04'].encodeDatagram({ ...datagram, trackAlias: 1 })).toBeUndefined();
  });
});

describe('TRACK_INFO', () => {
  it('gets through a relay as track properties', () => {
    const info = { priority: 60, ordered: false, maxLatencyMs: 5000, timescale: 90_000 };
    const properties = trackPropertiesOf(info);
    expect(trackInfoOf(properties)).toEqual(info);
    expect(liteObjects['moq-lite-05'].readTrackProperties(properties)).toMatchObject({
      defaultPriority: 195,
      defaultGroupOrder: 'descending',
    });
  });

  it('of other tracks is what nobody said otherwise', () => {
    expect(trackInfoOf(none)).toEqual({ priority: 127, ordered: true, maxLatencyMs: 10_000, timescale: 1000 });
    expect(trackInfoOf(Uint8Array.of(0xff))).toEqual(trackInfoOf(none));
  });
});
