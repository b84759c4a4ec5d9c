/** An RTP packet (RFC 3550 5.1) without what is only about its transport. */
export type RtpPacket = {
  payloadType: number;
  /** 16 bits. */
  sequence: number;
  /** 32 bits, in the clock of the payload. */
  timestamp: number;
  ssrc: number;
  marker: boolean;
  /** Without padding. */
  payload: Uint8Array;
};

/** The packet that a retransmission carries (RFC 4588 4), under the payload type and source it had; undefined when there is none in it. */
export function unwrapRetransmission(packet: RtpPacket, payloadType: number, ssrc: number): RtpPacket | undefined {
  const { payload } = packet;
  if (payload.length <= 2) return undefined;
  const sequence = (payload[0]! << 8) | payload[1]!;
  return { ...packet, payloadType, ssrc, sequence, payload: payload.subarray(2) };
}
