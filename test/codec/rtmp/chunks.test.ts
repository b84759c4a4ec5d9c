import { describe, expect, it } from 'vitest';
import { ChunkDecoder } from '../../../src/codec/rtmp/chunk-decoder.ts';
import { encodeChunks } from '../../../src/codec/rtmp/chunk-encoder.ts';
import type { RtmpMessage } from '../../../src/codec/rtmp/message.ts';
import { concat, fromHex, hex } from '../../../src/core/bytes.ts';

const message = (timestamp: number, payload: string, type = 9, streamId = 1): RtmpMessage => ({
  type,
  streamId,
  timestamp,
  payload: fromHex(payload),
});

const wire = [
  {
    name: 'type 0, then deltas by types 1, 2 and 3',
    bytes: '04 000028 000002 09 01000000 aabb' + '44 000028 000001 09 cc' + '84 000014 dd' + 'c4 ee',
    value: [message(40, 'aabb'), message(80, 'cc'), message(100, 'dd'), message(120, 'ee')],
  },
  {
    name: 'type 3 after type 0: the timestamp is the delta (5.3.1.2.4)',
    bytes: '04 000028 000001 09 01000000 aa' + 'c4 bb',
    value: [message(40, 'aa'), message(80, 'bb')],
  },
  {
    name: 'chunk stream ids of two and three bytes',
    bytes: '00 00 000000 000001 09 01000000 aa' + '01 0001 000000 000001 09 01000000 bb',
    value: [message(0, 'aa'), message(0, 'bb')],
  },
  {
    name: 'a smaller chunk size, messages of two chunk streams interleaved',
    bytes:
      '02 000000 000004 01 00000000 00000002' +
      '04 000000 000003 09 01000000 0102' +
      '06 000000 000003 08 01000000 1112' +
      'c4 03' +
      'c6 13',
    value: [message(0, '010203'), message(0, '111213', 8)],
  },
  {
    name: 'an extended timestamp, repeated on type 3',
    bytes: '02 000000 000004 01 00000000 00000002' + '04 ffffff 000003 09 01000000 01000000 0102' + 'c4 01000000 03',
    value: [message(0x1000000, '010203')],
  },
  {
    name: 'an extended timestamp, left out on type 3',
    bytes: '02 000000 000004 01 00000000 00000004' + '04 ffffff 000008 09 01000000 01000000 01020304' + 'c4 05060708',
    value: [message(0x1000000, '0102030405060708')],
  },
  {
    name: 'an abort',
    bytes:
      '02 000000 000004 01 00000000 00000004' +
      '04 000000 000006 09 01000000 01020304' +
      '02 000000 000004 02 00000000 00000004' +
      '04 000000 000001 09 01000000 ff',
    value: [message(0, 'ff')],
  },
  { name: 'an empty message', bytes: '04 000000 000000 09 01000000', value: [message(0, '')] },
];

describe('RTMP chunks', () => {
  it.each(wire)('$name', ({ bytes, value }) => {
    expect(new ChunkDecoder().push(fromHex(bytes))).toEqual(value);
  });

  it.each(wire)('byte by byte: $name', ({ bytes, value }) => {
    const decoder = new ChunkDecoder();
    expect([...fromHex(bytes)].flatMap((byte) => decoder.push(new Uint8Array([byte])))).toEqual(value);
  });

  const bad = [
    ['a stream that begins with type 3', 'c4', 'PROTOCOL_VIOLATION'],
    [
      'a message inside of another',
      `04 000000 0000ff 09 01000000${'00'.repeat(128)}04 000000 000001 09 01000000 aa`,
      'PROTOCOL_VIOLATION',
    ],
    ['a chunk size of 0', '02 000000 000004 01 00000000 00000000', 'PROTOCOL_VIOLATION'],
    ['a command beyond 64 KiB', '03 000000 010001 14 00000000', 'LIMIT_EXCEEDED'],
    [
      'too many chunk streams',
      Array.from({ length: 62 }, (_, i) => `${(i + 2).toString(16).padStart(2, '0')}0000000000010901000000aa`).join(
        '',
      ) +
        '00 00 000000 000001 09 01000000 aa' +
        '00 01 000000 000001 09 01000000 aa' +
        '00 02 000000 000001 09 01000000 aa',
      'LIMIT_EXCEEDED',
    ],
  ] as const;
  it.each(bad)('refuses %s', (_name, bytes, code) => {
    expect(() => new ChunkDecoder().push(fromHex(bytes))).toThrow(expect.objectContaining({ code }));
  });

  it('bounds what it holds of unfinished messages', () => {
    const decoder = new ChunkDecoder({ maxPendingBytes: 1000 });
    const begin = (id: number) => concat([fromHex(`0${id} 000000 00ffff 09 01000000`), new Uint8Array(128)]);
    expect(() => {
      for (let id = 2; id < 10; id++) decoder.push(begin(id));
    }).toThrow(expect.objectContaining({ code: 'LIMIT_EXCEEDED' }));
  });

  it('of one byte cost no more than their bytes', () => {
    const decoder = new ChunkDecoder();
    decoder.push(fromHex('02 000000 000004 01 00000000 00000001'));
    const length = 1 << 20;
    decoder.push(fromHex('04 000000 100000 09 01000000 00'));
    const pieces = new Uint8Array(2 * (length - 2)).map((_, index) => (index % 2 === 0 ? 0xc4 : 0));
    globalThis.gc?.();
    const before = process.memoryUsage();
    expect(decoder.push(pieces)).toEqual([]);
    const after = process.memoryUsage();
    // An array of its own for each byte is 100 MB of them that nothing can collect.
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(16 << 20);
    expect(decoder.push(new Uint8Array([0xc4, 0]))[0]!.payload).toHaveLength(length);
  });

  it('are written so that they read the same', () => {
    for (const timestamp of [0, 0xfffffe, 0xffffff, 0xffffffff]) {
      const value = { type: 9, streamId: 0x01020304, timestamp, payload: new Uint8Array(300).map((_, i) => i) };
      expect(new ChunkDecoder().push(encodeChunks(value, 6, 128))).toEqual([value]);
    }
    expect(hex(encodeChunks(message(40, 'aabb'), 4, 128))).toBe('04000028000002090100000 0aabb'.replace(' ', ''));
  });
});
