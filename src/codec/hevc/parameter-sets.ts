import { bytesEqual } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';
import { BitReader, unescapeNal } from '../bits/bit-reader.ts';
import { writeHevcConfig } from './hevc-config.ts';
import { nalType, nalTypeOf } from './nal.ts';
import { parseHevcSps } from './sps.ts';

/** The parameter sets of a stream that carries them in band, as its HEVCDecoderConfigurationRecord. */
export class HevcParameterSets {
  readonly #vps = new Map<number, Uint8Array>();
  readonly #sps = new Map<number, Uint8Array>();
  readonly #pps = new Map<number, Uint8Array>();
  #changed = false;

  /** True when `nal` is a parameter set; it is kept as a copy. Throws MALFORMED. */
  take(nal: Uint8Array): boolean {
    const type = nalTypeOf(nal);
    const sets = type === nalType.vps ? this.#vps : type === nalType.sps ? this.#sps : this.#pps;
    if (type < nalType.vps || type > nalType.pps) return false;
    if (nal.length > 0xffff || nal.length < 4) throw new StreamsError('MALFORMED', 'H.265 parameter set length');
    const id = idOf(type, nal);
    const known = sets.get(id);
    if (known === undefined || !bytesEqual(known, nal)) {
      sets.set(id, nal.slice());
      this.#changed = true;
    }
    return true;
  }

  /** The record with NAL lengths of 4 bytes, when it is whole and differs from the one given before. Throws MALFORMED. */
  changedConfig(): Uint8Array | undefined {
    if (!this.#changed || this.#vps.size === 0 || this.#sps.size === 0 || this.#pps.size === 0) return undefined;
    this.#changed = false;
    return writeHevcConfig([...this.#vps.values()], [...this.#sps.values()], [...this.#pps.values()]);
  }
}

/** vps_video_parameter_set_id, sps_seq_parameter_set_id or pps_pic_parameter_set_id; the maps grow no further than these. */
function idOf(type: number, nal: Uint8Array): number {
  if (type === nalType.sps) return parseHevcSps(nal).id;
  const reader = new BitReader(unescapeNal(nal.subarray(2, 16)));
  const id = type === nalType.vps ? reader.bits(4) : reader.ue();
  if (id > 63) throw new StreamsError('MALFORMED', 'H.265 parameter set id');
  return id;
}
