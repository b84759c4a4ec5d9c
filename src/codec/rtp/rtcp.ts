import { ByteWriter } from '../../core/bytes.ts';
import type { ReportBlock } from './reception.ts';

/** Receiver report (RFC 3550 6.4.2), with an empty SDES as compound packets demand no more of a receiver under RFC 5506. */
export function writeReceiverReport(sender: number, blocks: readonly ReportBlock[]): Uint8Array {
  const writer = header(201, Math.min(31, blocks.length), 1 + 6 * Math.min(31, blocks.length)).u32(sender);
  for (const block of blocks.slice(0, 31)) {
    writer
      .u32(block.ssrc)
      .u8(block.fractionLost)
      .u24(block.cumulativeLost & 0xff_ffff);
    writer.u32(block.highestSequence).u32(block.jitter).u32(block.lastSenderReport).u32(block.delaySinceLast);
  }
  return writer.finish();
}

/** Generic NACK (RFC 4585 6.2.1) of these sequence numbers, ascending. */
export function writeNack(sender: number, source: number, sequences: readonly number[]): Uint8Array {
  const pairs: { id: number; mask: number }[] = [];
  for (const sequence of sequences) {
    const last = pairs.at(-1);
    const distance = last === undefined ? 0 : (sequence - last.id - 1) & 0xffff;
    if (last !== undefined && distance < 16) last.mask |= 1 << distance;
    else pairs.push({ id: sequence, mask: 0 });
  }
  const writer = header(205, 1, 2 + pairs.length)
    .u32(sender)
    .u32(source);
  for (const { id, mask } of pairs) writer.u16(id).u16(mask);
  return writer.finish();
}

/** Picture loss indication (RFC 4585 6.3.1): asks for a keyframe. */
export function writePictureLoss(sender: number, source: number): Uint8Array {
  return header(206, 1, 2).u32(sender).u32(source).finish();
}

/** `words`: 32-bit words after the first. */
function header(type: number, count: number, words: number): ByteWriter {
  return new ByteWriter(4 + 4 * words)
    .u8(0x80 | count)
    .u8(type)
    .u16(words);
}
