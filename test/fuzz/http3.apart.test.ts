import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../fixtures/wire/annotated.ts';
import { fieldCases, fieldViolations } from '../../fixtures/wire/http3/fields.ts';
import { frameCases, frameViolations, settingsCases, settingsViolations } from '../../fixtures/wire/http3/frames.ts';
import {
  capsuleCases,
  capsuleViolations,
  datagramCases,
  streamHeaderCases,
} from '../../fixtures/wire/http3/web-transport.ts';
import { CapsuleDecoder } from '../../src/codec/http3/capsules.ts';
import { Http3FrameDecoder } from '../../src/codec/http3/frames.ts';
import { decodeFieldSection } from '../../src/codec/http3/qpack.ts';
import { decodeSettings } from '../../src/codec/http3/settings.ts';
import { decodeStringList } from '../../src/codec/http3/string-list.ts';
import { decodeDatagram, decodeStreamHeader } from '../../src/codec/http3/web-transport.ts';
import { concat, fromUtf8, utf8 } from '../../src/core/bytes.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { memoryPair } from '../../src/transport/memory.ts';
import { acceptWebTransport } from '../../src/transport/webtransport/accept.ts';
import { connectWebTransport } from '../../src/transport/webtransport/connect.ts';
import { mutateWildly as mutate, random } from './random.ts';

function* pieces(bytes: Uint8Array, next: () => number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + Math.floor(next() * 8);
    yield bytes.subarray(at, end);
    at = end;
  }
}

const wire = (cases: readonly { bytes: Parameters<typeof bytesOf>[0] }[]) => cases.map(({ bytes }) => bytesOf(bytes));
const frames = wire([...frameCases, ...frameViolations]);
const settings = wire([...settingsCases, ...settingsViolations]);
const fields = wire([...fieldCases, ...fieldViolations]);
const capsules = wire([...capsuleCases, ...capsuleViolations]);
const headers = wire([...streamHeaderCases, ...datagramCases]);
const lists = ['"moqt-18", "moqt-16"', '"a";q=1;x="y", b', '"\\"\\\\"'].map(utf8);

const decoders: Record<string, { seeds: Uint8Array[]; decode: (bytes: Uint8Array, next: () => number) => unknown }> = {
  'control frames': {
    seeds: frames,
    decode: (bytes, next) => {
      const decoder = new Http3FrameDecoder({ stream: 'control' });
      for (const piece of pieces(bytes, next)) decoder.push(piece);
      decoder.finish();
    },
  },
  'request frames': {
    seeds: frames,
    decode: (bytes, next) => {
      const decoder = new Http3FrameDecoder({ stream: 'request' });
      for (const piece of pieces(bytes, next)) decoder.push(piece);
      decoder.finish();
    },
  },
  capsules: {
    seeds: capsules,
    decode: (bytes, next) => {
      const decoder = new CapsuleDecoder();
      for (const piece of pieces(bytes, next)) decoder.push(piece);
    },
  },
  settings: { seeds: settings, decode: decodeSettings },
  'field sections': { seeds: fields, decode: decodeFieldSection },
  'stream headers': { seeds: headers, decode: decodeStreamHeader },
  datagrams: { seeds: headers, decode: decodeDatagram },
  'string lists': { seeds: lists, decode: (bytes) => decodeStringList(fromUtf8(bytes)) },
};

describe('hostile HTTP/3 bytes', () => {
  for (const [name, { seeds, decode }] of Object.entries(decoders)) {
    it(`${name}: decoded or refused in words`, () => {
      const next = random(name.length);
      let decoded = 0;
      for (let round = 0; round < 10_000; round++) {
        const bytes = mutate(seeds, next);
        try {
          decode(bytes, next);
          decoded++;
        } catch (error) {
          if (!(error instanceof StreamsError)) throw error;
        }
      }
      expect(decoded).toBeGreaterThan(100);
    });
  }

  it('a server that gets garbage ends the handshake or goes on, and throws nothing else', async () => {
    const next = random(4443);
    const seeds = [...frames, ...headers, ...fields.map((bytes) => concat([Uint8Array.of(1, bytes.length), bytes]))];
    let refused = 0;
    for (let round = 0; round < 400; round++) {
      const { client, server, drop } = memoryPair({ protocol: 'h3' });
      const outcome = acceptWebTransport(server, { protocols: [] }).catch((error: unknown) => error);
      for (let i = 0; i < 4; i++) {
        const stream = next() < 0.5 ? client.openUni() : client.openBidi().send;
        for (const piece of pieces(mutate(seeds, next), next)) stream.write(piece);
        if (next() < 0.5) stream.finish();
        else if (next() < 0.2) stream.reset(1);
      }
      // Enough turns for all that was written; what is left waits for more bytes.
      for (let turn = 0; turn < 200; turn++) await Promise.resolve();
      drop();
      const error = await outcome;
      expect(error).toBeInstanceOf(StreamsError);
      const close = await client.closed;
      if (close.by === 'peer') {
        refused++;
        expect(close.code).toBeGreaterThanOrEqual(0x100);
      }
    }
    expect(refused).toBeGreaterThan(100);
  });

  it('a session that gets garbage on its own streams lives on or closes that connection alone', async () => {
    const next = random(54);
    const seeds = [...frames, ...headers, ...capsules];
    for (let round = 0; round < 300; round++) {
      const base = memoryPair({ protocol: 'h3' });
      const [client, server] = await Promise.all([
        connectWebTransport(base.client, { authority: 'localhost', path: '/', protocols: [] }),
        acceptWebTransport(base.server, { protocols: [] }),
      ]);
      for (let i = 0; i < 4; i++) {
        const stream = next() < 0.5 ? base.client.openUni() : base.client.openBidi().send;
        for (const piece of pieces(mutate(seeds, next), next)) stream.write(piece);
        if (next() < 0.5) stream.finish();
        base.client.sendDatagram(mutate(seeds, next));
      }
      for (let turn = 0; turn < 200; turn++) await Promise.resolve();
      base.drop();
      await Promise.all([client.closed, server.closed]);
      expect(await server.acceptUni()).toBeNull();
    }
  });
});
