import { ByteReader, ByteWriter } from '../../core/bytes.ts';

/** Control information field of an ACK (draft-sharabayko-srt-01 section 3.2.4). */
export type Ack = {
  /** The first packet that is not there yet. */
  next: number;
  /** Absent in a light ACK. Times in microseconds, rates per second. */
  details?: {
    rtt: number;
    rttVariance: number;
    /** Packets. */
    availableBuffer: number;
    packetRate: number;
    linkCapacity: number;
    byteRate: number;
  };
};

export function encodeAck({ next, details }: Ack): Uint8Array {
  const writer = new ByteWriter(28).u32(next);
  if (details === undefined) return writer.finish();
  const { rtt, rttVariance, availableBuffer, packetRate, linkCapacity, byteRate } = details;
  return writer.u32(rtt).u32(rttVariance).u32(availableBuffer).u32(packetRate).u32(linkCapacity).u32(byteRate).finish();
}

/** Throws MALFORMED. */
export function decodeAck(body: Uint8Array): Ack {
  const reader = new ByteReader(body);
  const next = reader.u32() & 0x7fff_ffff;
  if (reader.remaining === 0) return { next };
  return {
    next,
    details: {
      rtt: reader.u32(),
      rttVariance: reader.u32(),
      availableBuffer: reader.u32(),
      packetRate: reader.u32(),
      linkCapacity: reader.u32(),
      byteRate: reader.u32(),
    },
  };
}
