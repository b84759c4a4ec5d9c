import type { PayloadReader } from './frame-assembler.ts';
import { NalAssembly } from './nal-assembly.ts';

const aggregation = 24;
const fragmentation = 28;

/** H.264 payloads (RFC 6184, packetization modes 0 and 1: single NAL units, STAP-A, FU-A) to the NAL units of a frame. */
export class H264Payload implements PayloadReader<Uint8Array[]> {
  readonly #nals = new NalAssembly();

  add(payload: Uint8Array): boolean {
    if (!this.#nals.admits(payload)) return false;
    const type = payload[0]! & 0x1f;
    if (type === fragmentation) return this.#fragment(payload);
    if (this.#nals.inFragment) return false;
    if (type === aggregation) return this.#nals.aggregate(payload, 1, 1);
    if (type === 0 || type > aggregation) return false;
    return this.#nals.single(payload);
  }

  take(): Uint8Array[] | undefined {
    return this.#nals.take();
  }

  /** FU-A (5.8). */
  #fragment(payload: Uint8Array): boolean {
    if (payload.length < 3) return false;
    const header = payload[1]!;
    const nalHeader = Uint8Array.of((payload[0]! & 0xe0) | (header & 0x1f));
    return this.#nals.fragment(header, nalHeader, payload.subarray(2));
  }
}
