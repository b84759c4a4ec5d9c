import type { ByteReader } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';

/** Packet type of an Enhanced RTMP header that says that prefixes come first. */
const modEx = 7;

/**
 * Passes over ModEx prefixes (Enhanced RTMP v2: such as nanosecond offsets, each with its size and the next packet type) and
 * answers the packet type behind them. Throws LIMIT_EXCEEDED after eight.
 */
export function skipModEx(reader: ByteReader, type: number): number {
  let packetType = type;
  for (let i = 0; packetType === modEx; i++) {
    if (i === 8) throw new StreamsError('LIMIT_EXCEEDED', 'too many ModEx prefixes');
    let size = reader.u8() + 1;
    if (size === 256) size = reader.u16() + 1;
    reader.take(size);
    packetType = reader.u8() & 15;
  }
  return packetType;
}
