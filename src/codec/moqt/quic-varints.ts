import { StreamsError } from '../../core/errors.ts';
import { quicVarintLength } from '../quic-varint.ts';
import { type Varints, varintsOf } from './varint.ts';

const max = (1n << 62n) - 1n;

/** MoQT's integers up to draft-16: those of codec/quic-varint.ts, up to 2^62-1 and with MoQT's errors. */
export const quicVarints: Varints = varintsOf({
  lengthOf: quicVarintLength,
  size(value) {
    if (value < 0x40) return 1;
    if (value < 0x4000) return 2;
    return value < 0x40000000 ? 4 : 8;
  },
  marks(length) {
    if (length < 4) return length === 1 ? 0 : 0x40;
    return length === 4 ? 0x80 : 0xc0;
  },
  writeBig(writer, value) {
    if (value > max) throw new StreamsError('INVALID_ARGUMENT', `${value} is above 2^62-1`);
    writer.u64(value | (3n << 62n));
  },
});
