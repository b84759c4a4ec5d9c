import { ByteWriter, bytesEqual } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { BitReader, unescapeNal } from '../bits/bit-reader.ts';
import { parseSps } from './sps.ts';

/** Profiles whose record says more about the samples (ISO 14496-15 5.3.3.1.2). */
const profilesWithTail = new Set([100, 110, 122, 144]);

/** The parameter sets of a stream that carries them in band, as its AVCDecoderConfigurationRecord. */
export class ParameterSets {
  readonly #sps = new Map<number, Uint8Array>();
  readonly #pps = new Map<number, Uint8Array>();
  #changed = false;

  /** True when `nal` is a parameter set; it is kept as a copy. Throws MALFORMED. */
  take(nal: Uint8Array): boolean {
    const type = nal[0]! & 0x1f;
    if (type !== 7 && type !== 8) return false;
    if (nal.length > 0xffff) throw new StreamsError('MALFORMED', 'H.264 parameter set too long');
    const reader = new BitReader(unescapeNal(nal.subarray(1, 32)));
    if (type === 7) reader.skip(24);
    const id = reader.ue();
    if (id > (type === 7 ? 31 : 255)) throw new StreamsError('MALFORMED', 'H.264 parameter set id');
    if (type === 7) parseSps(nal);
    const sets = type === 7 ? this.#sps : this.#pps;
    const known = sets.get(id);
    if (known === undefined || !bytesEqual(known, nal)) {
      sets.set(id, nal.slice());
      this.#changed = true;
    }
    return true;
  }

  /** The record with NAL lengths of 4 bytes, when it is whole and differs from the one given before. Throws MALFORMED. */
  changedConfig(): Uint8Array | undefined {
    if (!this.#changed || this.#sps.size === 0 || this.#pps.size === 0) return undefined;
    this.#changed = false;
    const sps = [...this.#sps.values()];
    const first = sps[0]!;
    const writer = new ByteWriter(128).u8(1).bytes(first.subarray(1, 4)).u8(0xff);
    writer.u8(0xe0 | Math.min(31, sps.length));
    for (const set of sps.slice(0, 31)) writer.u16(set.length).bytes(set);
    const pps = [...this.#pps.values()].slice(0, 255);
    writer.u8(pps.length);
    for (const set of pps) writer.u16(set.length).bytes(set);
    if (profilesWithTail.has(first[1]!)) {
      const { chromaFormat, bitDepthLuma, bitDepthChroma } = parseSps(first);
      writer
        .u8(0xfc | chromaFormat)
        .u8(0xf8 | (bitDepthLuma - 8))
        .u8(0xf8 | (bitDepthChroma - 8))
        .u8(0);
    }
    return writer.finish();
  }
}
