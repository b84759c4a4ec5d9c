import { describe, expect, it } from 'vitest';
import { entryPoint } from '../../../src/codec/h264/entry-point.ts';
import { hevcEntryPoint } from '../../../src/codec/hevc/entry-point.ts';
import { fromHex } from '../../../src/core/bytes.ts';

const of = (...nals: string[]) => nals.map(fromHex);
/** first_mb_in_slice 0, then slice_type 7 (I), 5 (P) or 2 (I) as ue(v). */
const intra = '61 88 84 00';
const otherIntra = '61 b8 84 00';
const predicted = '41 9a 24 00';
const sps = '67 64 00 1e';
/** Payload type 6 of one byte: recovery_frame_cnt 0 as '1', 1 as '010'. */
const recoveryNow = '06 06 01 c0 80';
const recoveryLater = '06 06 01 50 80';
/** A user data message before it, of 0x11 bytes. */
const behindAnother = `06 05 11 ${'ab'.repeat(17)} 06 01 c0 80`;

describe('where decoding of H.264 can begin', () => {
  it.each([
    ['an IDR picture', of('65 88 84'), false, 'closed'],
    ['a recovery point of an open GOP', of(recoveryNow, intra), false, 'open'],
    ['one behind another message', of(behindAnother, intra), false, 'open'],
    ['the beginning of an intra refresh', of(recoveryLater, predicted), false, 'gradual'],
    ['an I picture behind its parameter sets', of(sps, intra), false, 'open'],
    ['an I picture that its sender calls a keyframe', of(intra, otherIntra), true, 'open'],
    ['an I picture of which nobody says anything', of(intra), false, undefined],
    ['a P picture that its sender calls a keyframe', of(predicted), true, undefined],
    ['I and P slices in one picture', of(sps, intra, predicted), true, undefined],
    ['an SEI that is cut off', of('06 06 01', predicted), false, undefined],
    ['a slice that is cut off', of('61'), true, undefined],
    ['parameter sets alone', of(sps, recoveryNow), true, undefined],
  ])('%s', (_name, nals, said, expected) => {
    expect(entryPoint(nals, said)).toBe(expected);
  });
});

describe('where decoding of HEVC can begin', () => {
  it.each([
    ['IDR_W_RADL', of('26 01 af'), 'closed'],
    ['CRA', of('2a 01 af'), 'open'],
    ['BLA_W_LP', of('20 01 af'), 'open'],
    ['a recovery point', of('4e 01 06 01 c0 80', '02 01 d0'), 'open'],
    ['a recovery point four pictures on', of('4e 01 06 02 10 80 80', '02 01 d0'), 'gradual'],
    ['a picture like others', of('02 01 d0'), undefined],
  ])('%s', (_name, nals, expected) => {
    expect(hevcEntryPoint(nals)).toBe(expected);
  });
});
