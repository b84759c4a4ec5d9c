import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../../../fixtures/wire/annotated.ts';
import { messageCases, responseCases, violations } from '../../../../fixtures/wire/moq-lite/messages.ts';
import { announceRequest } from '../../../../src/codec/moqt/lite/announce-request.ts';
import { encodeMessage, maxMessageBytes } from '../../../../src/codec/moqt/lite/message.ts';
import { setup } from '../../../../src/codec/moqt/lite/setup.ts';
import { StreamBuffer } from '../../../../src/codec/moqt/lite/stream-buffer.ts';
import { encodeSubscribeResponse, subscribeResponseCodec } from '../../../../src/codec/moqt/lite/subscribe-response.ts';
import { track } from '../../../../src/codec/moqt/lite/track.ts';
import type { LiteVersion } from '../../../../src/codec/moqt/lite/version.ts';
import { MoqtError } from '../../../../src/codec/moqt/moqt-error.ts';

function buffer(version: LiteVersion, bytes: Uint8Array): StreamBuffer {
  const made = new StreamBuffer(version);
  made.push(bytes);
  return made;
}

describe('messages of moq-lite', () => {
  for (const { name, versions, codec, value, bytes } of messageCases) {
    for (const version of versions) {
      it(`${name} (${version})`, () => {
        const wire = bytesOf(bytes);
        const whole = buffer(version, wire);
        expect(whole.message(codec)).toEqual(value);
        expect(whole.length).toBe(0);
        expect(encodeMessage(codec, value, version)).toEqual(wire);
        const piecemeal = new StreamBuffer(version);
        for (const byte of wire.subarray(0, -1)) {
          piecemeal.push(Uint8Array.of(byte));
          expect(piecemeal.message(codec)).toBeUndefined();
        }
        piecemeal.push(wire.subarray(-1));
        expect(piecemeal.message(codec)).toEqual(value);
      });
    }
  }

  for (const { name, versions, value, bytes } of responseCases) {
    for (const version of versions) {
      it(name, () => {
        expect(buffer(version, bytesOf(bytes)).typed(subscribeResponseCodec(version))).toEqual(value);
        expect(encodeSubscribeResponse(value, version)).toEqual(bytesOf(bytes));
      });
    }
  }

  for (const { name, versions, codec, bytes } of violations) {
    for (const version of versions) {
      it(`${name} is a violation (${version})`, () => {
        expect(() => buffer(version, bytesOf(bytes)).message(codec)).toThrow(MoqtError);
      });
    }
  }

  it('an answer to SUBSCRIBE that the version has not is a violation', () => {
    const response = (version: LiteVersion, type: number) => () =>
      buffer(version, Uint8Array.of(type, 0)).typed(subscribeResponseCodec(version));
    expect(response('moq-lite-04', 2)).toThrow(MoqtError);
    expect(response('moq-lite-05', 3)).toThrow(MoqtError);
  });

  it('a message is refused by its length alone', () => {
    expect(() => buffer('moq-lite-05', Uint8Array.of(0x80, 0, 0x40, 1)).message(track)).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    );
    expect(maxMessageBytes).toBe(0x4000);
  });

  it('restart says active once more in moq-lite-05', () => {
    const [active] = messageCases.filter(({ name }) => name === 'ANNOUNCE_BROADCAST, active');
    const bytes = bytesOf(active!.bytes);
    bytes[1] = 2;
    expect(buffer('moq-lite-05', bytes).message(active!.codec)).toEqual(active!.value);
  });

  it('SETUP parameters that are not known are passed over; a higher probe level is the highest', () => {
    const bytes = Uint8Array.of(10, 3, 0x40, 0x99, 2, 1, 2, 1, 1, 9, 5, 1, 0);
    bytes[0] = bytes.length - 1;
    expect(buffer('moq-lite-05', bytes).message(setup)).toEqual({ probe: 'increase' });
  });

  it.each([
    ['a/b', ['a', 'b']],
    ['/a//b/', ['a', 'b']],
    ['', []],
  ])('the path %j is a namespace', (path, prefix) => {
    const text = new TextEncoder().encode(path);
    const bytes = Uint8Array.of(text.length + 2, text.length, ...text, 0);
    expect(buffer('moq-lite-04', bytes).message(announceRequest)).toEqual({ prefix, excludeHop: 0n });
  });

  it.each([[['a/b']], [['']], [['\udcff']], [Array<string>(33).fill('a')]])(
    'a namespace that is no path is refused: %j',
    (namespace) => {
      expect(() => encodeMessage(track, { namespace, name: 'x' }, 'moq-lite-05')).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED' }),
      );
    },
  );

  it('a name that is not UTF-8 is refused', () => {
    expect(() => encodeMessage(track, { namespace: ['a'], name: '\udcff' }, 'moq-lite-05')).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED' }),
    );
  });
});
