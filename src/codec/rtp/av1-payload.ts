import { concat } from '../../core/bytes.ts';
import { type Obu, readLeb128, readObu } from '../av1/obu.ts';
import type { PayloadReader } from './frame-assembler.ts';

const maxFrameBytes = 8 << 20;
const maxObus = 1024;

/** AV1 payloads (AOM "RTP Payload Format For AV1" 4) to the OBUs of a temporal unit. */
export class Av1Payload implements PayloadReader<Obu[]> {
  #obus: Obu[] = [];
  #fragments: Uint8Array[] = [];
  #bytes = 0;

  add(payload: Uint8Array): boolean {
    this.#bytes += payload.length;
    if (this.#bytes > maxFrameBytes) return false;
    const aggregation = payload[0]!;
    const continues = (aggregation & 0x80) !== 0;
    const goesOn = (aggregation & 0x40) !== 0;
    if (continues !== this.#fragments.length > 0) return false;
    const elements = split(payload.subarray(1), (aggregation >> 4) & 3);
    if (elements === undefined) return false;
    for (const [index, element] of elements.entries()) {
      this.#fragments.push(element);
      if (goesOn && index === elements.length - 1) return true;
      if (!this.#finish()) return false;
    }
    return true;
  }

  take(): Obu[] | undefined {
    const whole = this.#fragments.length === 0 && this.#obus.length > 0;
    const obus = this.#obus;
    this.#obus = [];
    this.#fragments = [];
    this.#bytes = 0;
    return whole ? obus : undefined;
  }

  #finish(): boolean {
    const bytes = concat(this.#fragments);
    this.#fragments = [];
    if (bytes.length === 0) return true;
    if (this.#obus.length === maxObus) return false;
    try {
      this.#obus.push(readObu(bytes).obu);
      return true;
    } catch {
      return false;
    }
  }
}

/** OBU elements: with a length each, but the last of a stated `count`. undefined: they do not fit. */
function split(bytes: Uint8Array, count: number): Uint8Array[] | undefined {
  const elements: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (elements.length === maxObus) return undefined;
    let length = bytes.length - at;
    if (count === 0 || elements.length < count - 1) {
      let prefix: { value: number; length: number };
      try {
        prefix = readLeb128(bytes, at);
      } catch {
        return undefined;
      }
      at += prefix.length;
      if (prefix.value > bytes.length - at) return undefined;
      length = prefix.value;
    }
    elements.push(bytes.subarray(at, at + length));
    at += length;
  }
  return count > 0 && elements.length !== count ? undefined : elements;
}
