import { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';

/** Session keys, wrapped (draft-sharabayko-srt-01 section 3.2.2). AES-CTR is the only cipher. */
export type KeyMaterial = {
  even: boolean;
  odd: boolean;
  /** 16 bytes. */
  salt: Uint8Array;
  /** Of a session key: 16, 24 or 32 bytes. */
  keyBytes: number;
  /** RFC 3394 wrap of the keys, even before odd. */
  wrapped: Uint8Array;
};

const signature = 0x2029;
const aesCtr = 2;

/** Throws MALFORMED, UNSUPPORTED for another cipher. */
export function decodeKeyMaterial(content: Uint8Array): KeyMaterial {
  const reader = new ByteReader(content);
  if (reader.u8() !== 0x12 || reader.u16() !== signature) throw new StreamsError('MALFORMED', 'not SRT key material');
  const keys = reader.u8() & 3;
  // Key encryption key index: 0, the passphrase.
  if (reader.u32() !== 0) throw new StreamsError('UNSUPPORTED', 'SRT key encryption key');
  if (reader.u8() !== aesCtr) throw new StreamsError('UNSUPPORTED', 'SRT cipher that is not AES-CTR');
  reader.take(5);
  const saltBytes = reader.u8() * 4;
  const keyBytes = reader.u8() * 4;
  if (saltBytes !== 16 || ![16, 24, 32].includes(keyBytes) || keys === 0)
    throw new StreamsError('MALFORMED', 'SRT key material');
  const salt = reader.take(saltBytes);
  const wrapped = reader.take((keys === 3 ? 2 : 1) * keyBytes + 8);
  return { even: (keys & 1) !== 0, odd: (keys & 2) !== 0, salt, keyBytes, wrapped };
}

export function encodeKeyMaterial({ even, odd, salt, keyBytes, wrapped }: KeyMaterial): Uint8Array {
  return new ByteWriter(16 + salt.length + wrapped.length)
    .u8(0x12)
    .u16(signature)
    .u8((even ? 1 : 0) | (odd ? 2 : 0))
    .u32(0)
    .u8(aesCtr)
    .u8(0)
    .u8(2)
    .u8(0)
    .u16(0)
    .u8(salt.length / 4)
    .u8(keyBytes / 4)
    .bytes(salt)
    .bytes(wrapped)
    .finish();
}
