import { utf8 } from '../../../core/bytes.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Names are bytes on the wire (draft-18 2.4.1) and strings here. What is not UTF-8 is kept apart by mapping each byte from 0x80
 * on to the lone surrogate U+DC00 + byte, so that two different names never become one, and `encodeName` gives the bytes back.
 */
export function decodeName(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    let out = '';
    for (const byte of bytes) out += String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte);
    return out;
  }
}

export function encodeName(name: string): Uint8Array {
  if (!/^[\0-\x7f\udc80-\udcff]*$/.test(name) || /^[\0-\x7f]*$/.test(name)) return utf8(name);
  const out = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i++) out[i] = name.charCodeAt(i) & 0xff;
  return out;
}
