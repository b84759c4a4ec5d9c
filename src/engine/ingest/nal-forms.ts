import { type EntryPoint, entryPoint } from '../../codec/h264/entry-point.ts';
import { hevcEntryPoint } from '../../codec/hevc/entry-point.ts';
import { nalType, nalTypeOf } from '../../codec/hevc/nal.ts';

export type NalCodec = 'h264' | 'hevc';

/** How the NAL units of a codec are told apart. */
export type NalForm = {
  typeOf(nal: Uint8Array): number;
  /** About the byte stream, not a picture: delimiter, ends of sequence and stream, filler. */
  isFraming(type: number): boolean;
  isSlice(type: number): boolean;
  /** Whether decoding can begin at an access unit, and how well. `said`: the sender calls it a keyframe. */
  entryPoint(nals: Iterable<Uint8Array>, said: boolean): EntryPoint | undefined;
};

export const nalForms: Readonly<Record<NalCodec, NalForm>> = {
  /** H.264 table 7-1. */
  h264: {
    typeOf: (nal) => nal[0]! & 0x1f,
    isFraming: (type) => type >= 9 && type <= 12,
    isSlice: (type) => type >= 1 && type <= 5,
    entryPoint,
  },
  /** H.265 table 7-1. */
  hevc: {
    typeOf: nalTypeOf,
    isFraming: (type) => type >= nalType.delimiter && type <= nalType.filler,
    isSlice: (type) => type <= 31,
    entryPoint: hevcEntryPoint,
  },
};
