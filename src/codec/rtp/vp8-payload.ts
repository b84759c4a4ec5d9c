import { concat } from '../../core/bytes.ts';
import type { PayloadReader } from './frame-assembler.ts';

const maxFrameBytes = 8 << 20;
const maxParts = 16_384;

/** VP8 payloads (RFC 7741 4.2) to a frame. */
export class Vp8Payload implements PayloadReader<Uint8Array> {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  add(payload: Uint8Array): boolean {
    const first = payload[0]!;
    // S and partition 0: the frame begins here.
    const begin = (first & 0x10) !== 0 && (first & 7) === 0;
    if (begin !== (this.#parts.length === 0)) return false;
    let at = 1;
    if (first & 0x80) {
      const extended = payload[at++] ?? 0;
      if (extended & 0x80) at += (payload[at] ?? 0) & 0x80 ? 2 : 1;
      if (extended & 0x40) at++;
      if (extended & 0x30) at++;
    }
    this.#bytes += payload.length;
    if (at >= payload.length || this.#bytes > maxFrameBytes || this.#parts.length === maxParts) return false;
    this.#parts.push(payload.subarray(at));
    return true;
  }

  take(): Uint8Array | undefined {
    const frame = this.#parts.length === 0 ? undefined : concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return frame;
  }
}
