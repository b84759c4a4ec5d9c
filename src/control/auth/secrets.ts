import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 in hexadecimal: how a key is stored. A fast hash is right here: keys hold 128 random bits, no guess gets near. */
export function hashSecret(cleartext: string): string {
  return createHash('sha256').update(cleartext).digest('hex');
}

/** Compares a cleartext with a stored hash, in time that does not depend on where they differ. */
export function matchesHash(cleartext: string, hash: string): boolean {
  const actual = Buffer.from(hashSecret(cleartext), 'hex');
  const expected = Buffer.from(hash, 'hex');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
