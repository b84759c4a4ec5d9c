import { createDecipheriv, pbkdf2Sync } from 'node:crypto';
import type { KeyMaterial } from '../../../codec/srt/key-material.ts';
import type { DataPacket } from '../../../codec/srt/packet.ts';

const keyIterations = 2048;
/** RFC 3394 2.2.3.1. */
const wrapIv = Buffer.from('a6a6a6a6a6a6a6a6', 'hex');

/** The session keys of one caller, opened with the passphrase (draft-sharabayko-srt-01 section 6). */
export class Decryption {
  readonly #passphrase: string;
  readonly #keys: { even?: Buffer; odd?: Buffer } = {};
  #salt: Uint8Array = new Uint8Array(16);

  constructor(passphrase: string) {
    this.#passphrase = passphrase;
  }

  /** Takes new keys; false when the passphrase does not open them. About a millisecond. */
  accept({ even, odd, salt, keyBytes, wrapped }: KeyMaterial): boolean {
    const kek = pbkdf2Sync(this.#passphrase, salt.subarray(8), keyIterations, keyBytes, 'sha1');
    const unwrap = createDecipheriv(`id-aes${keyBytes * 8}-wrap`, kek, wrapIv);
    let keys: Buffer;
    try {
      keys = Buffer.concat([unwrap.update(wrapped), unwrap.final()]);
    } catch {
      return false;
    }
    if (even) this.#keys.even = keys.subarray(0, keyBytes);
    if (odd) this.#keys.odd = keys.subarray(keys.length - keyBytes);
    this.#salt = salt.slice();
    return true;
  }

  /** Undefined when the packet is not encrypted, or with a key that was never given. */
  open({ key, sequence, payload }: DataPacket): Uint8Array | undefined {
    const secret = key === 'none' ? undefined : this.#keys[key];
    if (secret === undefined) return undefined;
    // 112 bits of salt, the sequence number over its end, and 16 bits that count blocks (6.1.2).
    const counter = Buffer.alloc(16);
    counter.writeUInt32BE(sequence, 10);
    for (let i = 0; i < 14; i++) counter[i] = counter[i]! ^ this.#salt[i]!;
    return createDecipheriv(`aes-${secret.length * 8}-ctr`, secret, counter).update(payload);
  }
}
