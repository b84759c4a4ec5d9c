import { concat } from '../../core/bytes.ts';
import type { PayloadReader } from './frame-assembler.ts';

const maxFrameBytes = 8 << 20;
const maxParts = 16_384;

/** VP9 payloads (RFC 9628 4.2) to a frame; spatial layers of one instant follow each other in it. */
export class Vp9Payload implements PayloadReader<Uint8Array> {
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #open = false;

  add(payload: Uint8Array): boolean {
    const flags = payload[0]!;
    const begin = (flags & 0x08) !== 0;
    const from = descriptorLength(payload);
    if (from === undefined || begin === this.#open) return false;
    this.#bytes += payload.length;
    if (this.#bytes > maxFrameBytes || this.#parts.length === maxParts) return false;
    this.#parts.push(payload.subarray(from));
    this.#open = (flags & 0x04) === 0;
    return true;
  }

  take(): Uint8Array | undefined {
    const whole = !this.#open && this.#bytes > 0;
    const frame = concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    this.#open = false;
    return whole ? frame : undefined;
  }
}

/** Bytes before the VP9 data; undefined when there are none after it. */
function descriptorLength(payload: Uint8Array): number | undefined {
  const flags = payload[0]!;
  const [hasId, predicted, layers, flexible, structure] = [0x80, 0x40, 0x20, 0x10, 0x02].map((bit) => flags & bit);
  let at = 1;
  if (hasId) at += payload[at]! & 0x80 ? 2 : 1;
  if (layers) at += flexible ? 1 : 2;
  // Up to three references, each saying whether another follows.
  if (flexible && predicted) for (let i = 0; i < 3 && payload[at++]! & 1; i++);
  if (structure) {
    const header = payload[at++] ?? 0;
    if (header & 0x10) at += 4 * ((header >> 5) + 1);
    if (header & 0x08) {
      const pictures = payload[at++] ?? 0;
      for (let i = 0; i < pictures; i++) at += 1 + (((payload[at] ?? 0) >> 2) & 3);
    }
  }
  return at < payload.length ? at : undefined;
}
