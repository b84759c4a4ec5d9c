import { createDecipheriv, pbkdf2, pbkdf2Sync } from 'node:crypto';
import { promisify } from 'node:util';

/** The session keys of an SRT caller as its handshake carries them (draft-sharabayko-srt-01 section 3.2.2). */
export type WrappedSrtKeys = {
  /** 16 bytes. */
  salt: Uint8Array;
  /** Of one session key: 16, 24 or 32 bytes. */
  keyBytes: number;
  /** RFC 3394 wrap of one key or two. */
  wrapped: Uint8Array;
};

const iterations = 2048;
/** RFC 3394 2.2.3.1. */
const wrapIv = Buffer.from('a6a6a6a6a6a6a6a6', 'hex');
const derive = promisify(pbkdf2);

/** The session keys, one after another; undefined when the passphrase does not open them. About a millisecond. */
export function unwrapSrtKeys(passphrase: string, keys: WrappedSrtKeys): Buffer | undefined {
  return unwrap(pbkdf2Sync(passphrase, keys.salt.subarray(8), iterations, keys.keyBytes, 'sha1'), keys);
}

/** Whether the passphrase opens them; derives off the main thread, for callers that nobody has vouched for. */
export async function opensSrtKeys(passphrase: string, keys: WrappedSrtKeys): Promise<boolean> {
  const kek = await derive(passphrase, keys.salt.subarray(8), iterations, keys.keyBytes, 'sha1');
  return unwrap(kek, keys) !== undefined;
}

function unwrap(kek: Buffer, { keyBytes, wrapped }: WrappedSrtKeys): Buffer | undefined {
  // Of nothing, or of too little, there is no checksum that could be wrong.
  if (wrapped.length !== keyBytes + 8 && wrapped.length !== 2 * keyBytes + 8) return undefined;
  const decipher = createDecipheriv(`id-aes${keyBytes * 8}-wrap`, kek, wrapIv);
  try {
    return Buffer.concat([decipher.update(wrapped), decipher.final()]);
  } catch {
    return undefined;
  }
}
