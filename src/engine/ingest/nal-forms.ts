import { isRandomAccess, nalType, nalTypeOf } from '../../codec/hevc/nal.ts';

export type NalCodec = 'h264' | 'hevc';

/** How the NAL units of a codec are told apart. */
export type NalForm = {
  typeOf(nal: Uint8Array): number;
  /** About the byte stream, not a picture: delimiter, ends of sequence and stream, filler. */
  isFraming(type: number): boolean;
  isSlice(type: number): boolean;
  /** A slice at which decoding can begin. */
  isKey(type: number): boolean;
};

export const nalForms: Readonly<Record<NalCodec, NalForm>> = {
  /** H.264 table 7-1. */
  h264: {
    typeOf: (nal) => nal[0]! & 0x1f,
    isFraming: (type) => type >= 9 && type <= 12,
    isSlice: (type) => type >= 1 && type <= 5,
    isKey: (type) => type === 5,
  },
  /** H.265 table 7-1. */
  hevc: {
    typeOf: nalTypeOf,
    isFraming: (type) => type >= nalType.delimiter && type <= nalType.filler,
    isSlice: (type) => type <= 31,
    isKey: isRandomAccess,
  },
};
