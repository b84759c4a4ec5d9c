import { concat } from '../../core/bytes.ts';

const maxFrameBytes = 8 << 20;
const maxNals = 1024;

/** The NAL units of a frame out of RTP payloads: what RFC 6184 and RFC 7798 have in common. Each step answers false for what breaks it. */
export class NalAssembly {
  #nals: Uint8Array[] = [];
  #fragments: Uint8Array[] = [];
  #bytes = 0;

  /** Another payload comes: it must fit. */
  admits(payload: Uint8Array): boolean {
    this.#bytes += payload.length;
    return this.#bytes <= maxFrameBytes && this.#nals.length < maxNals;
  }

  get inFragment(): boolean {
    return this.#fragments.length > 0;
  }

  single(nal: Uint8Array): boolean {
    this.#nals.push(nal);
    return true;
  }

  /** Units behind 16 bits of length each, from `at` on; none shorter than `shortest`. */
  aggregate(payload: Uint8Array, at: number, shortest: number): boolean {
    for (let next = at; next < payload.length; ) {
      if (next + 2 > payload.length || this.#nals.length >= maxNals) return false;
      const length = (payload[next]! << 8) | payload[next + 1]!;
      next += 2;
      if (length < shortest || next + length > payload.length) return false;
      this.#nals.push(payload.subarray(next, next + length));
      next += length;
    }
    return true;
  }

  /** `header` has the start bit (0x80) and the end bit (0x40); `nalHeader` is what the whole unit begins with. */
  fragment(header: number, nalHeader: Uint8Array, part: Uint8Array): boolean {
    const start = (header & 0x80) !== 0;
    if (start === this.inFragment) return false;
    if (start) this.#fragments.push(nalHeader);
    this.#fragments.push(part);
    if (header & 0x40) {
      this.#nals.push(concat(this.#fragments));
      this.#fragments = [];
    }
    return true;
  }

  take(): Uint8Array[] | undefined {
    const whole = !this.inFragment && this.#nals.length > 0;
    const nals = this.#nals;
    this.#nals = [];
    this.#fragments = [];
    this.#bytes = 0;
    return whole ? nals : undefined;
  }
}
