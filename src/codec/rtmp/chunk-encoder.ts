import { ByteWriter } from '../../core/bytes.ts';
import type { RtmpMessage } from './message.ts';

/** A message as chunks: a type 0 header, then type 3 (RTMP 1.0 section 5.3). `chunkStreamId` 2 … 63. */
export function encodeChunks(message: RtmpMessage, chunkStreamId: number, chunkSize: number): Uint8Array {
  const { type, streamId, timestamp, payload } = message;
  const writer = new ByteWriter(payload.length + 64);
  const extended = timestamp >= 0xffffff;
  writer
    .u8(chunkStreamId & 0x3f)
    .u24(extended ? 0xffffff : timestamp)
    .u24(payload.length)
    .u8(type);
  for (let shift = 0; shift < 32; shift += 8) writer.u8((streamId >>> shift) & 0xff);
  if (extended) writer.u32(timestamp);
  for (let at = 0; at < payload.length; at += chunkSize) {
    if (at > 0) {
      writer.u8(0xc0 | (chunkStreamId & 0x3f));
      if (extended) writer.u32(timestamp);
    }
    writer.bytes(payload.subarray(at, at + chunkSize));
  }
  return writer.finish();
}
