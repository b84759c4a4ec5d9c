import { describe, expect, it } from 'vitest';
import type { RtpPacket } from '../../src/codec/rtp/packet.ts';
import { type RtpCodec, readPublishOffer } from '../../src/codec/sdp/publish-offer.ts';
import { parseTrickleFragment } from '../../src/codec/sdp/trickle-fragment.ts';
import { fromHex, fromUtf8, utf8 } from '../../src/core/bytes.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { WhipToUnits } from '../../src/engine/ingest/whip/to-units.ts';
import { TrackReceiver } from '../../src/engine/ingest/whip/track-receiver.ts';
import { chromiumOffer } from '../codec/sdp/offers.ts';
import { mutate, random } from './random.ts';

const allowed = new Set(['MALFORMED', 'LIMIT_EXCEEDED', 'UNSUPPORTED']);

function survives(run: () => void): boolean {
  try {
    run();
    return true;
  } catch (error) {
    if (!(error instanceof StreamsError) || !allowed.has(error.code)) throw error;
    return false;
  }
}

const seeds: Record<RtpCodec, string[]> = {
  h264: [
    '78 0019 6764001eacd980a02ff97011000003000100000300320f162d9a 0006 68e97892c8b0 0002 6588',
    '7c85 88',
    '7c05 0102',
    '7c45 03',
    '419a',
  ],
  hevc: [
    '6001 0018 40010c01ffff01600000030090000003000003003c959809 0027 420101016000000300900000030000030' +
      '03ca00a080b9f79659a4932bc05a020000003002000000303c1 0007 4401c172b46240 0003 2601af',
    '6201 93 01af',
    '6201 53 03',
    '0201d0',
  ],
  vp9: [
    '0c 82498342200 13f00b3 00',
    '8c 8111 82498342 0027f00b30 00',
    '08 8600',
    '04 8600',
    '0e 18 0140 00b4 02 04 01 00 86',
  ],
  vp8: ['10 5002009d012a40013401 00', '90 80 11 5102009d012a4001b400', '10 3102', '00 aabb'],
  av1: ['28 0c 08000000043cfeccfbf90040 30140021f8', '50 30 10', '90 aabb', '10 3010ff'],
  opus: ['fc0102', 'fd0102', 'ff3f01', '78ff'],
};

describe('hostile WHIP', () => {
  it.each(Object.keys(seeds) as RtpCodec[])('%s packets end in units whose times never run backwards', (codec) => {
    const next = random(23);
    const bytes = seeds[codec].map((text) => {
      const clean = text.replaceAll(' ', '');
      return fromHex(clean.length % 2 === 0 ? clean : `${clean}0`);
    });
    const kind = codec === 'opus' ? 'audio' : 'video';
    const track = { kind, codec, payloadType: 96, retransmission: 97 } as const;
    let units = 0;
    for (let round = 0; round < 60; round++) {
      const receiver = new TrackReceiver(track, 1);
      const made = new WhipToUnits([track]);
      let [now, sequence, timestamp, last] = [
        0,
        Math.floor(next() * 65_536),
        Math.floor(next() * 2 ** 32),
        Number.NEGATIVE_INFINITY,
      ];
      for (let i = 0; i < 300; i++) {
        now += Math.floor(next() * 30);
        sequence += next() < 0.05 ? Math.floor(next() * 70_000) : 1;
        if (next() < 0.5) timestamp += next() < 0.02 ? Math.floor(next() * 2 ** 32) : 3000;
        const packet: RtpPacket = {
          payloadType: next() < 0.1 ? 97 : 96,
          sequence: sequence & 0xffff,
          timestamp: timestamp >>> 0,
          ssrc: next() < 0.01 ? 9 : 5,
          marker: next() < 0.5,
          payload: next() < 0.4 ? bytes[Math.floor(next() * bytes.length)]! : mutate(bytes, next),
        };
        survives(() => {
          const ordered = [...receiver.push(packet, now), ...receiver.expire(now)];
          if (next() < 0.05)
            made.senderReport(kind, BigInt(Math.floor(next() * 2 ** 32)) << 32n, Math.floor(next() * 2 ** 32));
          for (const item of ordered)
            for (const unit of made.push(kind, item, { now, wallClock: 0 })) {
              expect(unit.dts).toBeGreaterThanOrEqual(last);
              expect(unit.data.length).toBeGreaterThan(0);
              last = unit.dts;
              units++;
            }
        });
        const nack = receiver.nack(now);
        if (nack !== undefined) expect(nack.length).toBeLessThan(1200);
        expect(receiver.report(now)?.fractionLost ?? 0).toBeLessThan(256);
      }
    }
    expect(units).toBeGreaterThan(100);
  });

  it('a picture without end holds no more than its bound', () => {
    const track = { kind: 'video', codec: 'h264', payloadType: 96, retransmission: undefined } as const;
    const receiver = new TrackReceiver(track, 1);
    const made = new WhipToUnits([track]);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 200_000; i++) {
      const payload = new Uint8Array(1200);
      payload.set(i === 0 ? [0x7c, 0x85] : [0x7c, 0x05]);
      const packet = { payloadType: 96, sequence: i & 0xffff, timestamp: 1, ssrc: 1, marker: false, payload };
      for (const item of receiver.push(packet, i)) made.push('video', item, { now: i, wallClock: 0 });
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 << 20);
  });

  it('offers and candidates end in an answerable offer, or words', () => {
    const next = random(29);
    const [offer, fragment] = [
      utf8(chromiumOffer),
      utf8('a=ice-ufrag:x\r\na=mid:0\r\na=candidate:1 1 udp 1 127.0.0.1 5 typ host\r\n'),
    ];
    const ends = { read: 0, refused: 0 };
    for (let round = 0; round < 3000; round++) {
      const text = fromUtf8(mutate([offer], next));
      const fine = survives(() => {
        const { sdp, tracks } = readPublishOffer(text);
        expect(tracks.length).toBeGreaterThan(0);
        expect(tracks.length).toBeLessThanOrEqual(2);
        // What is cut down once stays as it is.
        expect(readPublishOffer(sdp).sdp).toBe(sdp);
      });
      ends[fine ? 'read' : 'refused']++;
      survives(() => parseTrickleFragment(fromUtf8(mutate([fragment], next))));
    }
    expect(Math.min(ends.read, ends.refused)).toBeGreaterThan(200);
  });
});
