import { concat } from '../../core/bytes.ts';
import type { PayloadReader } from './frame-assembler.ts';

const maxFrameBytes = 8 << 20;
const maxNals = 1024;
const aggregation = 48;
const fragmentation = 49;

/** HEVC payloads (RFC 7798 4.4: single NAL units, aggregation packets, fragmentation units, no DONL) to the NAL units of a frame. */
export class HevcPayload implements PayloadReader<Uint8Array[]> {
  #nals: Uint8Array[] = [];
  #fragments: Uint8Array[] = [];
  #bytes = 0;

  add(payload: Uint8Array): boolean {
    this.#bytes += payload.length;
    if (payload.length < 3 || this.#bytes > maxFrameBytes || this.#nals.length >= maxNals) return false;
    const type = (payload[0]! >> 1) & 0x3f;
    if (type === fragmentation) return this.#fragment(payload);
    if (this.#fragments.length > 0) return false;
    if (type === aggregation) return this.#aggregate(payload);
    if (type > aggregation) return false;
    this.#nals.push(payload);
    return true;
  }

  take(): Uint8Array[] | undefined {
    const whole = this.#fragments.length === 0 && this.#nals.length > 0;
    const nals = this.#nals;
    this.#nals = [];
    this.#fragments = [];
    this.#bytes = 0;
    return whole ? nals : undefined;
  }

  #aggregate(payload: Uint8Array): boolean {
    for (let at = 2; at < payload.length; ) {
      if (at + 2 > payload.length || this.#nals.length >= maxNals) return false;
      const length = (payload[at]! << 8) | payload[at + 1]!;
      at += 2;
      if (length < 3 || at + length > payload.length) return false;
      this.#nals.push(payload.subarray(at, at + length));
      at += length;
    }
    return true;
  }

  #fragment(payload: Uint8Array): boolean {
    if (payload.length < 4) return false;
    const header = payload[2]!;
    const start = (header & 0x80) !== 0;
    if (start !== (this.#fragments.length === 0)) return false;
    if (start) this.#fragments.push(Uint8Array.of((payload[0]! & 0x81) | ((header & 0x3f) << 1), payload[1]!));
    this.#fragments.push(payload.subarray(3));
    if (header & 0x40) {
      this.#nals.push(concat(this.#fragments));
      this.#fragments = [];
    }
    return true;
  }
}
