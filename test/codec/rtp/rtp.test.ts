import { describe, expect, it } from 'vitest';
import { RtcpPacketConverter } from 'werift';
import { writeObus } from '../../../src/codec/av1/obu.ts';
import { Av1Payload } from '../../../src/codec/rtp/av1-payload.ts';
import { FrameAssembler, type PayloadReader } from '../../../src/codec/rtp/frame-assembler.ts';
import { H264Payload } from '../../../src/codec/rtp/h264-payload.ts';
import { HevcPayload } from '../../../src/codec/rtp/hevc-payload.ts';
import { type RtpPacket, unwrapRetransmission } from '../../../src/codec/rtp/packet.ts';
import { Reception } from '../../../src/codec/rtp/reception.ts';
import { ReorderBuffer } from '../../../src/codec/rtp/reorder-buffer.ts';
import { writeNack, writePictureLoss, writeReceiverReport } from '../../../src/codec/rtp/rtcp.ts';
import { Vp8Payload } from '../../../src/codec/rtp/vp8-payload.ts';
import { Vp9Payload } from '../../../src/codec/rtp/vp9-payload.ts';
import { concat, fromHex, hex } from '../../../src/core/bytes.ts';

const packet = (sequence: number, more: Partial<RtpPacket> = {}): RtpPacket => ({
  payloadType: 96,
  sequence: sequence & 0xffff,
  timestamp: 0,
  ssrc: 1,
  marker: false,
  payload: fromHex('00'),
  ...more,
});

describe('ReorderBuffer', () => {
  const made = () => new ReorderBuffer({ waitMs: 100, maxPackets: 8 });
  const sequences = (out: { packet: RtpPacket; afterLoss: boolean }[]) =>
    out.map((item) => `${item.packet.sequence}${item.afterLoss ? '!' : ''}`).join(' ');

  it('puts packets in order, over the wrap of 16 bits', () => {
    const buffer = made();
    const out = [65_534, 0, 65_535, 1, 3, 2].map((sequence) => sequences(buffer.push(packet(sequence), 0)));
    expect(out).toEqual(['65534', '', '65535 0', '1', '', '2 3']);
    expect([buffer.lost, buffer.late]).toEqual([0, 0]);
  });

  it('asks for what is missing, again after a while, and not for ever', () => {
    const buffer = new ReorderBuffer({ waitMs: 10_000, maxPackets: 8 });
    buffer.push(packet(65_534), 0);
    buffer.push(packet(1), 0);
    expect(buffer.wanted(0, 40)).toEqual([65_535, 0]);
    expect(buffer.wanted(20, 40)).toEqual([]);
    buffer.push(packet(65_535), 30);
    expect(buffer.wanted(40, 40)).toEqual([0]);
    const times = Array.from({ length: 50 }, (_, i) => buffer.wanted(100 + i * 40, 40).length);
    expect(times.reduce((sum, count) => sum + count, 0)).toBe(10);
  });

  it('gives up in time, and says that something is missing', () => {
    const buffer = made();
    buffer.push(packet(1), 0);
    expect(sequences(buffer.push(packet(4), 50))).toBe('');
    expect(sequences(buffer.expire(149))).toBe('');
    expect(sequences(buffer.expire(150))).toBe('4!');
    expect(sequences(buffer.push(packet(2), 151))).toBe('');
    expect([buffer.lost, buffer.late]).toEqual([2, 1]);
    expect(sequences(buffer.push(packet(5), 152))).toBe('5');
  });

  it('does not give up before it has asked often enough, but in the end it does', () => {
    const patient = () => new ReorderBuffer({ waitMs: 100, minRequests: 2, maxPackets: 8 });
    const asked = patient();
    asked.push(packet(1), 0);
    asked.push(packet(3), 0);
    asked.wanted(0, 40);
    expect(sequences(asked.expire(200))).toBe('');
    asked.wanted(200, 40);
    expect(sequences(asked.expire(201))).toBe('3!');
    const never = patient();
    never.push(packet(1), 0);
    never.push(packet(3), 0);
    expect(sequences(never.expire(299))).toBe('');
    expect(sequences(never.expire(300))).toBe('3!');
  });

  it('never holds more than it may', () => {
    const buffer = made();
    buffer.push(packet(0), 0);
    const out = Array.from({ length: 9 }, (_, i) => sequences(buffer.push(packet(2 + i), 0)));
    expect(out.at(-1)).toBe('2! 3 4 5 6 7 8 9 10');
    expect(buffer.lost).toBe(1);
  });

  it('takes a jump for a new beginning', () => {
    const buffer = made();
    buffer.push(packet(0), 0);
    expect(sequences(buffer.push(packet(40_000), 0))).toBe('40000!');
    expect(sequences(buffer.push(packet(40_001), 0))).toBe('40001');
  });
});

/** Frames that payloads make; each payload with its timestamp, `m` for a marker and `!` for a loss before it. */
function frames<T>(reader: PayloadReader<T>, ...payloads: [timestamp: number, flags: string, bytes: string][]) {
  const assembler = new FrameAssembler(reader);
  return payloads.flatMap(([timestamp, flags, bytes], sequence) =>
    assembler.push({
      packet: packet(sequence, { timestamp, marker: flags.includes('m'), payload: fromHex(bytes) }),
      afterLoss: flags.includes('!'),
    }),
  );
}
const nals = (found: { content: Uint8Array[]; afterLoss: boolean }[]) =>
  found.map(({ content, afterLoss }) => `${content.map(hex).join(' ')}${afterLoss ? '!' : ''}`);

describe('H.264 payloads', () => {
  it.each<[string, [number, string, string][], string[]]>([
    [
      'single NAL units',
      [
        [1, '', '6701'],
        [1, 'm', '6502'],
      ],
      ['6701 6502'],
    ],
    ['STAP-A', [[1, 'm', '78 0002 6701 0003 680203']], ['6701 680203']],
    [
      'FU-A',
      [
        [1, '', '7c85 0102'],
        [1, '', '7c05 03'],
        [1, 'm', '7c45 04'],
      ],
      ['6501020304'],
    ],
    [
      'no marker, but another timestamp',
      [
        [1, '', '6501'],
        [2, '', '4102'],
        [3, '', '4103'],
      ],
      ['6501', '4102'],
    ],
    [
      'empty payloads between',
      [
        [1, '', '6501'],
        [1, '', ''],
        [1, 'm', '4102'],
      ],
      ['6501 4102'],
    ],
    [
      'a loss: its frame is left out, the next one says so',
      [
        [1, '', '6501'],
        [2, '!m', '4102'],
        [3, 'm', '4103'],
      ],
      ['4103!'],
    ],
    [
      'FU-A without a start',
      [
        [1, 'm', '7c45 04'],
        [2, 'm', '4102'],
      ],
      ['4102!'],
    ],
    [
      'FU-A without an end',
      [
        [1, 'm', '7c85 04'],
        [2, 'm', '4102'],
      ],
      ['4102'],
    ],
    [
      'FU-A that starts twice',
      [
        [1, '', '7c85 04'],
        [1, 'm', '7c85 05'],
        [2, 'm', '4102'],
      ],
      ['4102!'],
    ],
    [
      'STAP-A that lies',
      [
        [1, 'm', '78 00ff 6701'],
        [2, 'm', '4102'],
      ],
      ['4102!'],
    ],
    [
      'kinds that are not for this mode',
      [
        [1, 'm', '7d85 01'],
        [2, 'm', '19 01'],
        [3, 'm', '4102'],
      ],
      ['4102!'],
    ],
  ])('%s', (_, payloads, expected) => {
    expect(nals(frames(new H264Payload(), ...payloads))).toEqual(expected);
  });

  it('of a frame without end are dropped at a bound', () => {
    const reader = new H264Payload();
    const start = concat([fromHex('7c85'), new Uint8Array(60_000)]);
    const middle = concat([fromHex('7c05'), new Uint8Array(60_000)]);
    const taken = Array.from({ length: 200 }, (_, i) => reader.add(i === 0 ? start : middle));
    expect(taken.indexOf(false)).toBeLessThan(150);
    expect(taken.slice(taken.indexOf(false)).every((ok) => !ok)).toBe(true);
  });
});

describe('HEVC payloads', () => {
  it.each<[string, [number, string, string][], string[]]>([
    [
      'single NAL units',
      [
        [1, '', '420101'],
        [1, 'm', '260102'],
      ],
      ['420101 260102'],
    ],
    ['an aggregation packet', [[1, 'm', '6001 0003 400101 0003 420102']], ['400101 420102']],
    [
      'fragmentation units',
      [
        [1, '', '6201 93 0102'],
        [1, '', '6201 13 03'],
        [1, 'm', '6201 53 04'],
      ],
      ['260101020304'],
    ],
    [
      'a fragment without a start',
      [
        [1, 'm', '6201 53 04'],
        [2, 'm', '020102'],
      ],
      ['020102!'],
    ],
    [
      'an aggregation packet that lies',
      [
        [1, 'm', '6001 00ff 4001'],
        [2, 'm', '020102'],
      ],
      ['020102!'],
    ],
    [
      'PACI, and what is too short',
      [
        [1, 'm', '64010000'],
        [2, 'm', '0201'],
        [3, 'm', '020102'],
      ],
      ['020102!'],
    ],
  ])('%s', (_, payloads, expected) => {
    expect(nals(frames(new HevcPayload(), ...payloads))).toEqual(expected);
  });
});

const bytes = (found: { content: Uint8Array; afterLoss: boolean }[]) =>
  found.map(({ content, afterLoss }) => `${hex(content)}${afterLoss ? '!' : ''}`);

describe('VP9 payloads', () => {
  it.each<[string, [number, string, string][], string[]]>([
    [
      'a frame in two packets',
      [
        [1, '', '08 aa'],
        [1, 'm', '04 bb'],
      ],
      ['aabb'],
    ],
    [
      'picture ids of 7 and 15 bits',
      [
        [1, 'm', '8c 11 aa'],
        [2, 'm', '8c 8111 bb'],
      ],
      ['aa', 'bb'],
    ],
    ['layers, not flexible', [[1, 'm', 'ac 11 22 33 aa']], ['aa']],
    ['flexible, with two references', [[1, 'm', '5c 03 02 aa']], ['aa']],
    ['a scalability structure', [[1, 'm', '0e 18 0140 00b4 02 04 01 00 aa']], ['aa']],
    [
      'spatial layers follow each other',
      [
        [1, '', '0c aa'],
        [1, 'm', '0c bb'],
      ],
      ['aabb'],
    ],
    [
      'no beginning',
      [
        [1, 'm', '04 bb'],
        [2, 'm', '0c aa'],
      ],
      ['aa!'],
    ],
    [
      'no end',
      [
        [1, 'm', '08 bb'],
        [2, 'm', '0c aa'],
      ],
      ['aa'],
    ],
    [
      'a descriptor and nothing else',
      [
        [1, 'm', '8c 11'],
        [2, 'm', '0c aa'],
      ],
      ['aa!'],
    ],
  ])('%s', (_, payloads, expected) => {
    expect(bytes(frames(new Vp9Payload(), ...payloads))).toEqual(expected);
  });
});

describe('VP8 payloads', () => {
  it.each<[string, [number, string, string][], string[]]>([
    [
      'a frame in two packets',
      [
        [1, '', '10 aa'],
        [1, 'm', '00 bb'],
      ],
      ['aabb'],
    ],
    [
      'another partition',
      [
        [1, '', '10 aa'],
        [1, 'm', '11 bb'],
      ],
      ['aabb'],
    ],
    [
      'all that a descriptor may have',
      [
        [1, 'm', '90 f0 8111 22 33 aa'],
        [2, 'm', '90 80 11 bb'],
      ],
      ['aa', 'bb'],
    ],
    [
      'no beginning',
      [
        [1, 'm', '00 bb'],
        [2, 'm', '10 aa'],
      ],
      ['aa!'],
    ],
  ])('%s', (_, payloads, expected) => {
    expect(bytes(frames(new Vp8Payload(), ...payloads))).toEqual(expected);
  });
});

describe('AV1 payloads', () => {
  const units = (found: { content: Parameters<typeof writeObus>[0]; afterLoss: boolean }[]) =>
    found.map(({ content, afterLoss }) => `${hex(writeObus(content))}${afterLoss ? '!' : ''}`);
  it.each<[string, [number, string, string][], string[]]>([
    ['two OBUs, the second without a length', [[1, 'm', '28 02 08aa 30bbcc']], ['0a01aa 3202bbcc']],
    ['each with a length', [[1, 'm', '08 02 08aa 03 30bbcc']], ['0a01aa 3202bbcc']],
    [
      'one over three packets',
      [
        [1, '', '50 30bb'],
        [1, '', 'd0 cc'],
        [1, 'm', '90 dd'],
      ],
      ['3203bbccdd'],
    ],
    ['one that has its size', [[1, 'm', '10 3201bb']], ['3201bb']],
    [
      'a middle without a beginning',
      [
        [1, 'm', '90 dd'],
        [2, 'm', '10 30bb'],
      ],
      ['3201bb!'],
    ],
    [
      'a length that lies',
      [
        [1, 'm', '00 7f 30'],
        [2, 'm', '10 30bb'],
      ],
      ['3201bb!'],
    ],
  ])('%s', (_, payloads, expected) => {
    expect(units(frames(new Av1Payload(), ...payloads))).toEqual(expected.map((text) => text.replaceAll(' ', '')));
  });
});

describe('what is sent back', () => {
  const parse = (packet: Uint8Array) => RtcpPacketConverter.deSerialize(Buffer.from(packet))[0] as never;

  it('is read by werift as it was meant: NACK, picture loss, receiver report', () => {
    const nack: { feedback: { lost: number[] } } = parse(writeNack(7, 9, [65_534, 0, 14, 40]));
    expect(nack).toMatchObject({ feedback: { senderSsrc: 7, mediaSourceSsrc: 9 } });
    expect(nack.feedback.lost.map((sequence) => sequence & 0xffff)).toEqual([65_534, 0, 14, 40]);
    expect(parse(writePictureLoss(7, 9))).toMatchObject({ feedback: { senderSsrc: 7, mediaSsrc: 9 } });
    const reception = new Reception(9, 90_000);
    for (const sequence of [65_530, 65_531, 65_535, 0, 1]) reception.push(packet(sequence), 0);
    reception.senderReport(0x0001_0002_0003_0004n, 1000);
    const report = writeReceiverReport(7, [reception.block(1500)!]);
    expect(parse(report)).toMatchObject({
      ssrc: 7,
      reports: [{ ssrc: 9, packetsLost: 3, highestSequence: 65_537, lsr: 0x0002_0003, dlsr: 32_768 }],
    });
  });

  it('jitter is that of RFC 3550 A.8, in ms', () => {
    const reception = new Reception(9, 90_000);
    for (let i = 0; i < 500; i++) reception.push(packet(i, { timestamp: i * 3000 }), i * (100 / 3) + (i % 2) * 8);
    expect(reception.jitterMs).toBeGreaterThan(7);
    expect(reception.jitterMs).toBeLessThan(9);
  });
});

it('a retransmission carries the packet under its own number', () => {
  const sent = packet(5, { payloadType: 97, ssrc: 2, payload: fromHex('1234 aabb') });
  expect(unwrapRetransmission(sent, 96, 1)).toMatchObject({
    payloadType: 96,
    ssrc: 1,
    sequence: 0x1234,
    payload: fromHex('aabb'),
  });
  expect(unwrapRetransmission({ ...sent, payload: fromHex('1234') }, 96, 1)).toBeUndefined();
});
