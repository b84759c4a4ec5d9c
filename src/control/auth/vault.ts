import { createHmac } from 'node:crypto';
import { seal, unseal } from './seal.ts';

/** Keeps what must be readable again but not in the clear: sealed under the master key and bound to its row. */
export class Vault {
  readonly #masterKey: Uint8Array;

  constructor(masterKey: Uint8Array) {
    this.#masterKey = masterKey;
  }

  seal(context: string, plaintext: string): string {
    return seal(this.#masterKey, context, plaintext);
  }

  /** Throws CONFIG_INVALID when it was sealed under another master key or for another row. */
  unseal(context: string, sealed: string): string {
    return unseal(this.#masterKey, context, sealed);
  }

  /** 32 bytes that nobody can make without the master key; the same each time. `context` keeps purposes apart. */
  derive(context: string, text: string): Uint8Array {
    return createHmac('sha256', this.#masterKey).update(`streams ${context}: ${text}`).digest();
  }
}
