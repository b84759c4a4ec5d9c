import { ByteReader, ByteWriter, fromUtf8Strict, utf8 } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';

/** draft-sharabayko-srt-01 section 3.2.1.1.1. */
export const srtFlag = {
  tsbpdSender: 0x01,
  tsbpdReceiver: 0x02,
  crypt: 0x04,
  tooLateDrop: 0x08,
  periodicNak: 0x10,
  retransmitFlag: 0x20,
  /** Buffer (byte stream) mode, not messages. */
  stream: 0x40,
  filter: 0x80,
} as const;

/** HSREQ and HSRSP (3.2.1.1). Delays in milliseconds. */
export type Capabilities = {
  /** 0xMMmmpp. */
  version: number;
  flags: number;
  receiverDelay: number;
  senderDelay: number;
};

/** Throws MALFORMED. */
export function decodeCapabilities(content: Uint8Array): Capabilities {
  const reader = new ByteReader(content);
  return { version: reader.u32(), flags: reader.u32(), receiverDelay: reader.u16(), senderDelay: reader.u16() };
}

export function encodeCapabilities({ version, flags, receiverDelay, senderDelay }: Capabilities): Uint8Array {
  return new ByteWriter(12).u32(version).u32(flags).u16(receiverDelay).u16(senderDelay).finish();
}

/** The longest stream id (3.2.1.3). */
export const maxStreamIdBytes = 512;

/** Text of a stream id or congestion extension: words of four bytes, each back to front, padded with zeros. Throws MALFORMED, LIMIT_EXCEEDED. */
export function decodeText(content: Uint8Array): string {
  if (content.length > maxStreamIdBytes) throw new StreamsError('LIMIT_EXCEEDED', 'SRT stream id too long');
  const text = swapWords(content);
  const end = text.indexOf(0);
  return fromUtf8Strict(end === -1 ? text : text.subarray(0, end));
}

export function encodeText(text: string): Uint8Array {
  const bytes = utf8(text);
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return swapWords(padded);
}

function swapWords(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    out[at] = bytes[at + 3]!;
    out[at + 1] = bytes[at + 2]!;
    out[at + 2] = bytes[at + 1]!;
    out[at + 3] = bytes[at]!;
  }
  return out;
}
