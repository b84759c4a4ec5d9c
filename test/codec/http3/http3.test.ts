import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../fixtures/wire/annotated.ts';
import { fieldCases, fieldViolations } from '../../../fixtures/wire/http3/fields.ts';
import { frameCases, frameViolations, settingsCases, settingsViolations } from '../../../fixtures/wire/http3/frames.ts';
import {
  capsuleCases,
  capsuleViolations,
  codeCases,
  datagramCases,
  streamHeaderCases,
} from '../../../fixtures/wire/http3/web-transport.ts';
import { CapsuleDecoder, encodeCapsule } from '../../../src/codec/http3/capsules.ts';
import type { Http3Frame } from '../../../src/codec/http3/frames.ts';
import { encodeFrame, Http3FrameDecoder } from '../../../src/codec/http3/frames.ts';
import { Http3Error } from '../../../src/codec/http3/http3-error.ts';
import { decodeFieldSection, encodeFieldSection } from '../../../src/codec/http3/qpack.ts';
import { acceptsWebTransport, decodeSettings, encodeSettings, ourSettings } from '../../../src/codec/http3/settings.ts';
import { decodeStringList, encodeStringList } from '../../../src/codec/http3/string-list.ts';
import {
  decodeDatagram,
  decodeStreamHeader,
  encodeDatagram,
  encodeStreamHeader,
  fromHttp3Code,
  toHttp3Code,
} from '../../../src/codec/http3/web-transport.ts';
import { concat, utf8 } from '../../../src/core/bytes.ts';

function http3CodeOf(work: () => unknown): number {
  try {
    work();
  } catch (error) {
    if (error instanceof Http3Error) return error.http3Code;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const bytewise = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte));

/** DATA comes in pieces: neighbours are joined. */
function joined(frames: readonly Http3Frame[]): Http3Frame[] {
  const out: Http3Frame[] = [];
  for (const frame of frames) {
    const last = out.at(-1);
    if (frame.type === 'data' && last?.type === 'data') {
      out[out.length - 1] = { type: 'data', bytes: concat([last.bytes, frame.bytes]) };
    } else out.push(frame);
  }
  return out;
}

describe('frames', () => {
  for (const { name, stream, frames, bytes, decodeOnly } of frameCases) {
    it(`decodes ${name}`, () => {
      const decoder = new Http3FrameDecoder({ stream });
      expect(decoder.push(bytesOf(bytes))).toEqual(frames);
      decoder.finish();
    });
    it(`decodes ${name}, byte by byte`, () => {
      const decoder = new Http3FrameDecoder({ stream });
      const got = bytewise(bytesOf(bytes)).flatMap((byte) => decoder.push(byte));
      expect(joined(got)).toEqual(frames);
    });
    if (!decodeOnly) {
      it(`encodes ${name}`, () => expect(concat(frames.map(encodeFrame))).toEqual(bytesOf(bytes)));
    }
  }
  for (const { name, stream, http3Code, bytes } of frameViolations) {
    it(`refuses ${name}`, () =>
      expect(http3CodeOf(() => new Http3FrameDecoder({ stream }).push(bytesOf(bytes)))).toBe(http3Code));
  }
  it('refuses a stream that ends inside a frame', () => {
    const decoder = new Http3FrameDecoder({ stream: 'request' });
    decoder.push(Uint8Array.of(0, 5, 1));
    expect(http3CodeOf(() => decoder.finish())).toBe(0x106);
  });
});

describe('settings', () => {
  for (const { name, values, bytes, decodeOnly } of settingsCases) {
    it(`decodes ${name}`, () => expect([...decodeSettings(bytesOf(bytes))]).toEqual(values));
    if (!decodeOnly) it(`encodes ${name}`, () => expect(encodeSettings(new Map(values))).toEqual(bytesOf(bytes)));
  }
  for (const { name, http3Code, bytes } of settingsViolations) {
    it(`refuses ${name}`, () => expect(http3CodeOf(() => decodeSettings(bytesOf(bytes)))).toBe(http3Code));
  }
  it('knows a WebTransport server', () => {
    expect(acceptsWebTransport(ourSettings)).toBe(true);
    expect(acceptsWebTransport(new Map([[0x33, 1]]))).toBe(false);
  });
});

describe('field sections', () => {
  for (const { name, fields, bytes, decodeOnly } of fieldCases) {
    it(`decodes ${name}`, () => expect(decodeFieldSection(bytesOf(bytes))).toEqual(fields));
    if (!decodeOnly) it(`encodes ${name}`, () => expect(encodeFieldSection(fields)).toEqual(bytesOf(bytes)));
  }
  for (const { name, bytes } of fieldViolations) {
    it(`refuses ${name}`, () => expect(http3CodeOf(() => decodeFieldSection(bytesOf(bytes)))).toBe(0x200));
  }
  it('bounds the number of fields', () => {
    const many = new Uint8Array(131).fill(0xd9);
    many.set([0, 0]);
    expect(http3CodeOf(() => decodeFieldSection(many))).toBe(0x107);
    expect(decodeFieldSection(many.subarray(0, 130))).toHaveLength(128);
  });
  it('reads long values back', () => {
    const fields = [[':path', `/${'x'.repeat(5000)}`] as const];
    expect(decodeFieldSection(encodeFieldSection(fields))).toEqual(fields);
  });
});

describe('capsules', () => {
  for (const { name, capsules, bytes, decodeOnly } of capsuleCases) {
    it(`decodes ${name}`, () => {
      expect(new CapsuleDecoder().push(bytesOf(bytes))).toEqual(capsules);
      const decoder = new CapsuleDecoder();
      expect(bytewise(bytesOf(bytes)).flatMap((byte) => decoder.push(byte))).toEqual(capsules);
    });
    if (!decodeOnly) it(`encodes ${name}`, () => expect(concat(capsules.map(encodeCapsule))).toEqual(bytesOf(bytes)));
  }
  for (const { name, bytes } of capsuleViolations) {
    it(`refuses ${name}`, () => expect(http3CodeOf(() => new CapsuleDecoder().push(bytesOf(bytes)))).toBe(0x10e));
  }
  it('cuts a long reason at a character', () => {
    const encoded = encodeCapsule({ type: 'close', code: 1, reason: 'ü'.repeat(600) });
    const [capsule] = new CapsuleDecoder().push(encoded);
    expect(capsule).toEqual({ type: 'close', code: 1, reason: 'ü'.repeat(512) });
  });
});

describe('WebTransport streams, datagrams, codes', () => {
  for (const [application, http3] of codeCases) {
    it(`maps code ${application}`, () => {
      expect(toHttp3Code(application)).toBe(http3);
      expect(fromHttp3Code(http3)).toBe(application);
    });
  }
  it('maps no code of HTTP/3 and no grease', () => {
    for (const code of [0, 0x10c, 0x170d7b68, 0x52e4a40fa8da, 0x52e4a40fa8f9, 0x52e5ac983163]) {
      expect(fromHttp3Code(code)).toBeUndefined();
    }
  });
  for (const { kind, sessionId, bytes } of streamHeaderCases) {
    it(`reads and writes the header of a ${kind} stream`, () => {
      const wire = bytesOf(bytes);
      expect(encodeStreamHeader(kind, sessionId)).toEqual(wire);
      const type = kind === 'uni' ? 0x54 : 0x41;
      expect(decodeStreamHeader(concat([wire, utf8('payload')]))).toEqual({ type, sessionId, length: wire.length });
      for (let cut = 0; cut < wire.length; cut++) expect(decodeStreamHeader(wire.subarray(0, cut))).toBeUndefined();
    });
  }
  for (const { sessionId, payload, bytes } of datagramCases) {
    it('reads and writes a datagram', () => {
      expect(encodeDatagram(sessionId, payload)).toEqual(bytesOf(bytes));
      expect(decodeDatagram(bytesOf(bytes))).toEqual({ sessionId, payload });
    });
  }
  it('drops a datagram that is cut off', () => {
    expect(decodeDatagram(new Uint8Array(0))).toBeUndefined();
    expect(decodeDatagram(Uint8Array.of(0x40))).toBeUndefined();
  });
});

describe('string lists', () => {
  const lists: [text: string, strings: string[]][] = [
    ['"moqt-18"', ['moqt-18']],
    ['"a", "b"', ['a', 'b']],
    ['"with \\"quotes\\" and \\\\"', ['with "quotes" and \\']],
    ['', []],
  ];
  for (const [text, strings] of lists) {
    it(`reads and writes ${text}`, () => {
      expect(decodeStringList(text)).toEqual(strings);
      expect(encodeStringList(strings)).toBe(text);
    });
  }
  it('skips parameters and takes tokens', () => {
    expect(decodeStringList('  "a";q=1;x="y" ,moqt-18;p, "c"  ')).toEqual(['a', 'moqt-18', 'c']);
  });
  for (const text of ['"', '"a" "b"', '"a",', ',', '"\u00fc"', '"a\\b"', '1, 2', '("a" "b")']) {
    it(`refuses ${text}`, () => expect(() => decodeStringList(text)).toThrow(/list/));
  }
  it('is bounded', () => {
    expect(() => decodeStringList(Array(33).fill('"a"').join(','))).toThrow(/32/);
    expect(() => decodeStringList(`"${'a'.repeat(3000)}"`)).toThrow(/3002/);
  });
});
