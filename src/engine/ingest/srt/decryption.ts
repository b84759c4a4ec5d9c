import { createDecipheriv } from 'node:crypto';
import { unwrapSrtKeys } from '../../../access/srt-keys.ts';
import type { KeyMaterial } from '../../../codec/srt/key-material.ts';
import type { DataPacket } from '../../../codec/srt/packet.ts';
import { bytesEqual } from '../../../core/bytes.ts';

/** The session keys of one caller, opened with the passphrase (draft-sharabayko-srt-01 section 6). */
export class Decryption {
  readonly #passphrase: string;
  readonly #keys: { even?: Buffer; odd?: Buffer } = {};
  #salt: Uint8Array | undefined;

  constructor(passphrase: string) {
    this.#passphrase = passphrase;
  }

  /**
   * Takes new keys; false when the passphrase does not open them. About a millisecond. The salt stays that of the handshake, as it does
   * in libsrt: it is what tells a handshake from a recorded one.
   */
  accept({ even, odd, salt, keyBytes, wrapped }: KeyMaterial): boolean {
    if (this.#salt !== undefined && !bytesEqual(this.#salt, salt)) return false;
    const keys = unwrapSrtKeys(this.#passphrase, { salt, keyBytes, wrapped });
    if (keys === undefined) return false;
    if (even) this.#keys.even = keys.subarray(0, keyBytes);
    if (odd) this.#keys.odd = keys.subarray(keys.length - keyBytes);
    this.#salt = salt.slice();
    return true;
  }

  /** Undefined when the packet is not encrypted, or with a key that was never given. */
  open({ key, sequence, payload }: DataPacket): Uint8Array | undefined {
    const secret = key === 'none' ? undefined : this.#keys[key];
    if (secret === undefined || this.#salt === undefined) return undefined;
    // 112 bits of salt, the sequence number over its end, and 16 bits that count blocks (6.1.2).
    const counter = Buffer.alloc(16);
    counter.writeUInt32BE(sequence, 10);
    for (let i = 0; i < 14; i++) counter[i] = counter[i]! ^ this.#salt[i]!;
    return createDecipheriv(`aes-${secret.length * 8}-ctr`, secret, counter).update(payload);
  }
}
