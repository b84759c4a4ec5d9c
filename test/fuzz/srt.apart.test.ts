import { describe, expect, it } from 'vitest';
import { decodeAck } from '../../src/codec/srt/ack.ts';
import { decodeCapabilities, decodeText } from '../../src/codec/srt/extensions.ts';
import { decodeHandshake } from '../../src/codec/srt/handshake.ts';
import { decodeKeyMaterial } from '../../src/codec/srt/key-material.ts';
import { decodeLossList } from '../../src/codec/srt/loss-list.ts';
import { decodePacket } from '../../src/codec/srt/packet.ts';
import { fromHex } from '../../src/core/bytes.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { SrtConnection } from '../../src/engine/ingest/srt/connection.ts';
import { readProposal } from '../../src/engine/ingest/srt/proposal.ts';
import { publishTarget } from '../../src/engine/ingest/srt/publish-target.ts';
import * as wire from '../codec/srt/wire.ts';
import { mutate, random } from './random.ts';

const rounds = 5000;
const allowed = new Set(['MALFORMED', 'LIMIT_EXCEEDED', 'UNSUPPORTED', 'INVALID_ARGUMENT', 'UNAUTHORIZED']);

function fuzz(seed: number, seeds: readonly Uint8Array[], decode: (bytes: Uint8Array) => unknown) {
  const next = random(seed);
  const ends = { decoded: 0, refused: 0 };
  for (let round = 0; round < rounds; round++) {
    const bytes = mutate(seeds, next);
    try {
      decode(bytes);
      ends.decoded++;
    } catch (error) {
      if (!(error instanceof StreamsError) || !allowed.has(error.code)) throw error;
      ends.refused++;
    }
  }
  return ends;
}

const bytesOf = (table: readonly { bytes: string }[]) => table.map(({ bytes }) => fromHex(bytes));

describe('hostile bytes as SRT', () => {
  it.each([
    ['packets', [...bytesOf(wire.data), ...bytesOf(wire.control)], decodePacket],
    ['handshakes', bytesOf(wire.handshakes), decodeHandshake],
    ['capabilities', bytesOf(wire.capabilities), decodeCapabilities],
    ['key material', bytesOf(wire.keyMaterials), decodeKeyMaterial],
    ['loss lists', bytesOf(wire.lossLists), decodeLossList],
    ['acknowledgements', bytesOf(wire.acks), decodeAck],
    ['stream ids', bytesOf(wire.texts.slice(1)), (bytes: Uint8Array) => publishTarget(decodeText(bytes))],
  ] as const)('%s end in a value or a decode error', (_name, seeds, decode) => {
    const ends = fuzz(21, seeds, decode);
    expect(ends.decoded + ends.refused).toBe(rounds);
    expect(ends.refused).toBeGreaterThan(100);
  });

  it('proposals end in a value, a refusal or a decode error', () => {
    const refused = new Set<number>();
    fuzz(22, bytesOf(wire.handshakes.slice(1, 2)), (bytes) => {
      const proposal = readProposal(decodeHandshake(bytes));
      if ('reason' in proposal) refused.add(proposal.reason);
    });
    expect(refused.size).toBeGreaterThan(3);
  });

  it('in a connection neither break the order of delivery nor outgrow the window', () => {
    const next = random(23);
    let delivered = 0;
    for (let session = 0; session < 20; session++) {
      let now = 0;
      let last = -1;
      let sent = 0;
      const first = Math.floor(next() * 2 ** 31);
      const connection = new SrtConnection({
        peerSocketId: 1,
        initialSequence: first,
        latencyMs: 50,
        began: { timestamp: 0, now },
        decryption: undefined,
        idleMs: 5000,
        send: (datagram) => {
          expect(datagram.length).toBeLessThanOrEqual(1472);
          sent++;
        },
        deliver: (payload) => {
          const number = (payload[0]! << 16) | (payload[1]! << 8) | payload[2]!;
          expect(number).toBeGreaterThan(last);
          last = number;
          delivered++;
        },
        gap: (packets) => expect(packets).toBeGreaterThan(0),
        ended: () => {},
      });
      for (let i = 0; i < 2000; i++) {
        const kind = next();
        const number = Math.max(0, i + Math.floor((next() - 0.5) * (kind < 0.01 ? 30_000 : 20)));
        try {
          if (kind < 0.9)
            connection.receive(
              {
                kind: 'data',
                sequence: (first + number) % 2 ** 31,
                whole: next() < 0.9,
                key: next() < 0.99 ? 'none' : 'even',
                retransmitted: next() < 0.1,
                timestamp: next() < 0.99 ? i * 1000 : Math.floor(next() * 2 ** 32),
                destination: 1,
                payload: Uint8Array.of(number >> 16, number >> 8, number),
              },
              now,
              0,
            );
          else
            connection.receive(
              {
                kind: 'control',
                // Anything but a goodbye.
                type: [0, 1, 2, 3, 4, 6, 7, 8, 0x7fff][Math.floor(next() * 9)]!,
                subtype: Math.floor(next() * 5),
                info: Math.floor(next() * 200),
                timestamp: Math.floor(next() * 2 ** 32),
                destination: 1,
                body: Uint8Array.from({ length: Math.floor(next() * 16) }, () => next() * 256),
              },
              now,
              0,
            );
        } catch (error) {
          if (!(error instanceof StreamsError) || error.code !== 'MALFORMED') throw error;
        }
        now += next() * 2;
        if (i % 8 === 0) connection.tick(now, true);
      }
      // A NAK at once for each loss, else ACKs and NAKs at the pace of the ticks.
      expect(sent).toBeLessThan(4000);
    }
    expect(delivered).toBeGreaterThan(10_000);
  });
});
