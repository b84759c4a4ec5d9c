import { describe, expect, it } from 'vitest';
import { concat, fromHex } from '../../src/core/bytes.ts';
import { StreamsError } from '../../src/core/errors.ts';
import { TsToUnits } from '../../src/engine/ingest/mpegts/to-units.ts';
import * as ts from '../codec/mpegts/build.ts';
import { mutate, random } from './random.ts';

const rounds = 1500;
const allowed = new Set(['MALFORMED', 'LIMIT_EXCEEDED', 'UNSUPPORTED']);

const map = ts.programMap([
  [0x1b, ts.videoPid],
  [0x0f, ts.audioPid],
]);
const picture = (i: number) =>
  ts.packets(
    ts.videoPid,
    ts.pes(
      0xe0,
      90_000 + i * 3600,
      86_400 + i * 3600,
      i % 5 === 0 ? ts.annexB(ts.sps, ts.pps, fromHex('6588')) : ts.annexB(fromHex('419a')),
      true,
    ),
    i,
  );
const sound = (i: number) =>
  ts.packets(ts.audioPid, ts.pes(0xc0, 90_000 + i * 1920, undefined, ts.adts(new Uint8Array(20))), i);
const stream = concat([
  ts.association,
  map,
  ...Array.from({ length: 10 }, (_, i) => [...picture(i), ...sound(2 * i), ...sound(2 * i + 1)]).flat(),
]);

describe('hostile MPEG-TS', () => {
  it('ends in units whose times never run backwards, or a decode error, in pieces of any size', () => {
    const next = random(11);
    let seen = 0;
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate([stream], next);
      const made = new TsToUnits();
      const last = { video: Number.NEGATIVE_INFINITY, audio: Number.NEGATIVE_INFINITY };
      try {
        for (let at = 0; at < bytes.length; ) {
          const size = 1 + Math.floor(next() * 1400);
          const units = made.push(bytes.subarray(at, at + size), 0);
          if (next() < 0.02) made.gap();
          if (at + size >= bytes.length) units.push(...made.flush(0));
          for (const unit of units) {
            if (unit.config !== undefined) last[unit.kind] = Number.NEGATIVE_INFINITY;
            expect(unit.dts).toBeGreaterThanOrEqual(last[unit.kind]);
            expect(unit.pts).toBeGreaterThanOrEqual(unit.dts);
            last[unit.kind] = unit.dts;
            seen++;
          }
          at += size;
        }
      } catch (error) {
        if (!(error instanceof StreamsError) || !allowed.has(error.code)) throw error;
      }
    }
    expect(seen).toBeGreaterThan(10_000);
  });

  it('that is no MPEG-TS at all is refused after some bytes', () => {
    const made = new TsToUnits();
    const next = random(12);
    expect(() => {
      for (let i = 0; i < 200; i++)
        made.push(
          Uint8Array.from({ length: 1316 }, () => next() * 256),
          0,
        );
    }).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
  });
});
