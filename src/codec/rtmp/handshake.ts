import { concat } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';

const packetLength = 1536;

/**
 * Server side of the simple handshake (RTMP 1.0 section 5.2). Resumable. `random` is 1528 bytes for S1. A client that asks
 * for the digest form is answered in the simple one, which all of them accept.
 */
export class ServerHandshake {
  readonly #random: Uint8Array;
  #input: Uint8Array[] = [];
  #length = 0;
  #answered = false;

  constructor(random: Uint8Array) {
    this.#random = random;
  }

  /** `reply` is to be sent; `rest`, once there, is what follows C2. Throws PROTOCOL_VIOLATION when it is not RTMP. */
  push(bytes: Uint8Array): { reply: Uint8Array | undefined; rest: Uint8Array | undefined } {
    this.#input.push(bytes);
    this.#length += bytes.length;
    const first = this.#input.find((part) => part.length > 0)?.[0];
    if (first !== undefined && first !== 3)
      throw new StreamsError(
        'PROTOCOL_VIOLATION',
        first === 0x16 ? 'TLS on the plain RTMP port' : 'not RTMP version 3',
      );
    let reply: Uint8Array | undefined;
    if (!this.#answered && this.#length >= 1 + packetLength) {
      const input = concat(this.#input);
      const c1 = input.subarray(1, 1 + packetLength);
      const s1 = new Uint8Array(packetLength);
      s1.set(this.#random.subarray(0, packetLength - 8), 8);
      reply = concat([new Uint8Array([3]), s1, c1]);
      this.#answered = true;
      this.#input = [input];
    }
    if (!this.#answered || this.#length < 1 + 2 * packetLength) return { reply, rest: undefined };
    return { reply, rest: concat(this.#input).subarray(1 + 2 * packetLength) };
  }
}
