import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { engineProof } from './engine-proof.ts';

export const addressHeader = 'x-forwarded-for';
export const proofHeader = 'x-streams-forwarded';

/**
 * How control tells the engine whose request it passes on: `x-forwarded-for`, which is believed only beside a proof that needs the
 * service token. Whoever else reaches the engine's listener is known by the address of its socket.
 */
export class ForwardedAddress {
  readonly #proof: string;
  readonly #bytes: Buffer;

  constructor(serviceToken: string) {
    this.#proof = engineProof(serviceToken, 'forwarded');
    this.#bytes = Buffer.from(this.#proof);
  }

  headers(address: string): Record<string, string> {
    return { [addressHeader]: address, [proofHeader]: this.#proof };
  }

  /** undefined: the headers name no address, or do not prove it. */
  read(headers: IncomingHttpHeaders): string | undefined {
    const { [addressHeader]: address, [proofHeader]: shown } = headers;
    if (typeof address !== 'string' || typeof shown !== 'string') return undefined;
    const given = Buffer.from(shown);
    return given.length === this.#bytes.length && timingSafeEqual(given, this.#bytes) ? address : undefined;
  }
}
