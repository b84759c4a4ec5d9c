import { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';

/** draft-sharabayko-srt-01 section 3: 16 bytes before every payload. */
const headerBytes = 16;

/** Section 3.2, table 1. */
export const controlType = {
  handshake: 0,
  keepAlive: 1,
  ack: 2,
  nak: 3,
  shutdown: 5,
  ackAck: 6,
  dropRequest: 7,
  /** KMREQ and KMRSP in the middle of a stream, by `subtype`. */
  userDefined: 0x7fff,
} as const;

/** Which session key a payload is encrypted with (3.1, KK). */
export type KeyParity = 'none' | 'even' | 'odd';

export type DataPacket = {
  kind: 'data';
  sequence: number;
  /** A message of one packet, the only kind of live mode. */
  whole: boolean;
  key: KeyParity;
  retransmitted: boolean;
  /** Microseconds on the sender's clock, modulo 2^32. */
  timestamp: number;
  destination: number;
  /** A view. */
  payload: Uint8Array;
};

export type ControlPacket = {
  kind: 'control';
  type: number;
  subtype: number;
  /** Type-specific information: the number of an ACK, for one. */
  info: number;
  timestamp: number;
  destination: number;
  /** Control information field; a view. */
  body: Uint8Array;
};

const parities = ['none', 'even', 'odd'] as const;

/** One datagram. Throws MALFORMED. */
export function decodePacket(bytes: Uint8Array): DataPacket | ControlPacket {
  const reader = new ByteReader(bytes);
  if (reader.remaining < headerBytes) throw new StreamsError('MALFORMED', 'SRT packet shorter than its header');
  const first = reader.u32();
  const second = reader.u32();
  const timestamp = reader.u32();
  const destination = reader.u32();
  const rest = reader.rest();
  if (first >= 0x8000_0000)
    return {
      kind: 'control',
      type: (first >>> 16) & 0x7fff,
      subtype: first & 0xffff,
      info: second,
      timestamp,
      destination,
      body: rest,
    };
  const key = parities[(second >>> 27) & 3];
  if (key === undefined) throw new StreamsError('MALFORMED', 'SRT data packet with two keys');
  return {
    kind: 'data',
    sequence: first,
    whole: second >>> 30 === 3,
    key,
    retransmitted: (second & 0x0400_0000) !== 0,
    timestamp,
    destination,
    payload: rest,
  };
}

/** `timestamp`: microseconds, taken modulo 2^32. */
export function encodeControl(packet: Omit<ControlPacket, 'kind'>): Uint8Array {
  const { type, subtype, info, timestamp, destination, body } = packet;
  return new ByteWriter(headerBytes + body.length)
    .u32((0x8000_0000 | (type << 16) | subtype) >>> 0)
    .u32(info)
    .u32(timestamp)
    .u32(destination)
    .bytes(body)
    .finish();
}

/** The counterpart of `decodePacket` for data; only senders need it. `messageNumber`: 26 bits. */
export function encodeData(packet: Omit<DataPacket, 'kind'> & { messageNumber: number }): Uint8Array {
  const { sequence, whole, key, retransmitted, messageNumber, timestamp, destination, payload } = packet;
  const flags = (whole ? 0xc000_0000 : 0) | (parities.indexOf(key) << 27) | (retransmitted ? 0x0400_0000 : 0);
  return new ByteWriter(headerBytes + payload.length)
    .u32(sequence)
    .u32((flags | messageNumber) >>> 0)
    .u32(timestamp)
    .u32(destination)
    .bytes(payload)
    .finish();
}
