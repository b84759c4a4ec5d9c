import { concat } from '../../src/core/bytes.ts';
import type { ReceiveStream, SendStream } from '../../src/transport/transport.ts';

/** Bytes that tell where they belong. */
export function pattern(length: number, seed = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) + seed * 7) & 0xff;
  return bytes;
}

export async function writeAll(stream: SendStream, bytes: Uint8Array, pieceBytes = 16 * 1024): Promise<void> {
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const piece = bytes.subarray(at, at + pieceBytes);
    let tries = 0;
    while (!stream.write(piece)) {
      if (++tries > 10_000) throw new Error('the stream takes nothing any more');
      await stream.writable();
    }
  }
}

/** Up to FIN. */
export async function readAll(stream: ReceiveStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let part = await stream.read(); part !== null; part = await stream.read()) parts.push(part);
  return concat(parts);
}
