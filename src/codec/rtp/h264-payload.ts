import { concat } from '../../core/bytes.ts';
import type { PayloadReader } from './frame-assembler.ts';

const maxFrameBytes = 8 << 20;
const maxNals = 1024;

/** H.264 payloads (RFC 6184, packetization modes 0 and 1: single NAL units, STAP-A, FU-A) to the NAL units of a frame. */
export class H264Payload implements PayloadReader<Uint8Array[]> {
  #nals: Uint8Array[] = [];
  #fragments: Uint8Array[] = [];
  #bytes = 0;

  add(payload: Uint8Array): boolean {
    this.#bytes += payload.length;
    if (this.#bytes > maxFrameBytes || this.#nals.length >= maxNals) return false;
    const type = payload[0]! & 0x1f;
    if (type === 28) return this.#fragment(payload);
    if (this.#fragments.length > 0) return false;
    if (type === 24) return this.#aggregate(payload);
    if (type === 0 || type > 24) return false;
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

  /** STAP-A (5.7.1). */
  #aggregate(payload: Uint8Array): boolean {
    for (let at = 1; at < payload.length; ) {
      if (at + 2 > payload.length || this.#nals.length >= maxNals) return false;
      const length = (payload[at]! << 8) | payload[at + 1]!;
      at += 2;
      if (length === 0 || at + length > payload.length) return false;
      this.#nals.push(payload.subarray(at, at + length));
      at += length;
    }
    return true;
  }

  /** FU-A (5.8). */
  #fragment(payload: Uint8Array): boolean {
    if (payload.length < 3) return false;
    const header = payload[1]!;
    const start = (header & 0x80) !== 0;
    if (start !== (this.#fragments.length === 0)) return false;
    if (start) this.#fragments.push(Uint8Array.of((payload[0]! & 0xe0) | (header & 0x1f)));
    this.#fragments.push(payload.subarray(2));
    if (header & 0x40) {
      this.#nals.push(concat(this.#fragments));
      this.#fragments = [];
    }
    return true;
  }
}
