import type { CatalogTrack } from '../../codec/catalog/streams-catalog.ts';
import { fromHex } from '../../core/bytes.ts';
import type { AudioUnit } from '../../core/media-unit.ts';

/** One frame of AAC-LC without sound, by channels (ISO 14496-3 4.4.2: elements with no spectral data). */
const silentAac: Readonly<Record<number, Uint8Array>> = {
  1: fromHex('00c800802380'),
  2: fromHex('210049900219002380'),
  3: fromHex('00c8008020840126400864008e'),
  4: fromHex('00c800802084012640086400802c80080238'),
  5: fromHex('00c800802084012640086400823004990021900238'),
  6: fromHex('011820010880230460231004608c0c230000e0'),
};
/** 20 ms of Opus without sound, by channels (RFC 6716 3.1: CELT, full band, one frame). */
const silentOpus: Readonly<Record<number, Uint8Array>> = { 1: fromHex('f8fffe'), 2: fromHex('fcfffe') };

/** A frame without sound, and its samples. undefined: none is known for this many channels. */
export function silentFrame(
  codec: AudioUnit['codec'],
  { channels = 0 }: Pick<CatalogTrack, 'channels'>,
  frameLength: number,
): { data: Uint8Array; samples: number } | undefined {
  const data = (codec === 'opus' ? silentOpus : silentAac)[channels];
  return data && { data, samples: codec === 'opus' ? 960 : frameLength };
}

/** Pictures that go on for so long without sound: it has stopped. Seconds. */
const stoppedSeconds = 1.5;
/** How far silence stays behind the pictures. */
const behindSeconds = 0.2;

/** Says when and how far silence stands in for sound that has stopped. Times in seconds on the output clock. */
export class SilenceGate {
  /** Pictures since the last sound, and the newest of them. */
  #pictures = 0;
  #picture: number | undefined;
  /** Where silence ended that went out, until sound has come that far. */
  #filledUntil: number | undefined;

  /** A picture went out. Returns the time up to which there is to be silence, if it is time for that. */
  picture(at: number): number | undefined {
    // A pause of the whole source is no sound that is missing.
    if (this.#picture !== undefined) this.#pictures += Math.min(Math.max(0, at - this.#picture), 0.5);
    this.#picture = at;
    return this.#pictures > stoppedSeconds ? at - behindSeconds : undefined;
  }

  filled(until: number): void {
    this.#filledUntil = until;
  }

  /** Sound for this time came. false: silence went out in its place. */
  sound(at: number): boolean {
    this.#pictures = 0;
    if (this.#filledUntil !== undefined && at < this.#filledUntil - 0.01) return false;
    this.#filledUntil = undefined;
    return true;
  }

  /** Another source takes over. */
  restart(): void {
    this.#pictures = 0;
    this.#picture = undefined;
    this.#filledUntil = undefined;
  }
}
