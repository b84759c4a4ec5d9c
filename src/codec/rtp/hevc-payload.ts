import type { PayloadReader } from './frame-assembler.ts';
import { NalAssembly } from './nal-assembly.ts';

const aggregation = 48;
const fragmentation = 49;

/** HEVC payloads (RFC 7798 4.4: single NAL units, aggregation packets, fragmentation units, no DONL) to the NAL units of a frame. */
export class HevcPayload implements PayloadReader<Uint8Array[]> {
  readonly #nals = new NalAssembly();

  add(payload: Uint8Array): boolean {
    if (!this.#nals.admits(payload) || payload.length < 3) return false;
    const type = (payload[0]! >> 1) & 0x3f;
    if (type === fragmentation) return this.#fragment(payload);
    if (this.#nals.inFragment) return false;
    if (type === aggregation) return this.#nals.aggregate(payload, 2, 3);
    if (type > aggregation) return false;
    return this.#nals.single(payload);
  }

  take(): Uint8Array[] | undefined {
    return this.#nals.take();
  }

  #fragment(payload: Uint8Array): boolean {
    if (payload.length < 4) return false;
    const header = payload[2]!;
    const nalHeader = Uint8Array.of((payload[0]! & 0x81) | ((header & 0x3f) << 1), payload[1]!);
    return this.#nals.fragment(header, nalHeader, payload.subarray(3));
  }
}
