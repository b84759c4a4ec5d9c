import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { StreamsError } from '../../core/errors.ts';

const version = 'v1';
const ivBytes = 12;
const tagBytes = 16;

/** AES-256-GCM: `v1.` and base64url of IV (12 bytes), tag (16 bytes), ciphertext. `context` binds it to its row. */
export function seal(masterKey: Uint8Array, context: string, plaintext: string): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', masterKey, iv).setAAD(Buffer.from(context));
  const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  return `${version}.${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')}`;
}

/** Throws CONFIG_INVALID when the key is another one, or the text or its context was changed. */
export function unseal(masterKey: Uint8Array, context: string, sealed: string): string {
  try {
    const [tag, body] = sealed.split('.');
    if (tag !== version || body === undefined) throw new StreamsError('MALFORMED', 'not a sealed value');
    const bytes = Buffer.from(body, 'base64url');
    const decipher = createDecipheriv('aes-256-gcm', masterKey, bytes.subarray(0, ivBytes), { authTagLength: tagBytes })
      .setAAD(Buffer.from(context))
      .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
    return Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new StreamsError('CONFIG_INVALID', `the master key does not open ${context}`, {
      hint: 'Restore the master.key (or STREAMS_MASTER_KEY) the key was made under, or deactivate the signing key.',
      cause,
    });
  }
}
