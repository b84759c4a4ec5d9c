import { ByteReader, ByteWriter } from '../../core/bytes.ts';
import { StreamsError } from '../../core/errors.ts';

/** draft-sharabayko-srt-01 section 3.2.1, table 3. Values from 1000 on are refusals. */
export const handshakeType = {
  waveAHand: 0,
  induction: 1,
  done: 0xffff_fffd,
  agreement: 0xffff_fffe,
  conclusion: 0xffff_ffff,
} as const;

/** In the extension field of the answer to an induction: the listener speaks version 5. */
export const inductionMagic = 0x4a17;

/** Which blocks follow (table 4); in the extension field of a conclusion. */
export const extensionFlag = { handshake: 1, keyMaterial: 2, configuration: 4 } as const;

/** Table 5. */
export const extensionType = {
  handshakeRequest: 1,
  handshakeResponse: 2,
  keyMaterialRequest: 3,
  keyMaterialResponse: 4,
  streamId: 5,
  congestion: 6,
  filter: 7,
  group: 8,
} as const;

export type Extension = { type: number; content: Uint8Array };

export type Handshake = {
  version: number;
  /** Key length: 0 not said, else 2, 3, 4 for AES-128, -192, -256. */
  encryption: number;
  /** `inductionMagic`, or flags. */
  extension: number;
  initialSequence: number;
  mtu: number;
  flowWindow: number;
  type: number;
  socketId: number;
  cookie: number;
  /** 16 bytes as they stand on the wire. */
  peerAddress: Uint8Array;
  extensions: Extension[];
};

const maxExtensions = 8;

/** Control information field of a handshake. Contents of extensions are views. Throws MALFORMED, LIMIT_EXCEEDED. */
export function decodeHandshake(body: Uint8Array): Handshake {
  const reader = new ByteReader(body);
  const handshake: Handshake = {
    version: reader.u32(),
    encryption: reader.u16(),
    extension: reader.u16(),
    initialSequence: reader.u32() & 0x7fff_ffff,
    mtu: reader.u32(),
    flowWindow: reader.u32(),
    type: reader.u32(),
    socketId: reader.u32(),
    cookie: reader.u32(),
    peerAddress: reader.take(16),
    extensions: [],
  };
  // An induction has none; the extension field means something else there.
  if (handshake.version < 5 || handshake.type !== handshakeType.conclusion) return handshake;
  while (reader.remaining > 0) {
    if (handshake.extensions.length === maxExtensions)
      throw new StreamsError('LIMIT_EXCEEDED', 'SRT handshake with too many extensions');
    const type = reader.u16();
    handshake.extensions.push({ type, content: reader.take(reader.u16() * 4) });
  }
  return handshake;
}

/** Contents of extensions are padded to whole words. */
export function encodeHandshake(handshake: Handshake): Uint8Array {
  const { version, encryption, extension, initialSequence, mtu, flowWindow, type, socketId, cookie } = handshake;
  const writer = new ByteWriter(128).u32(version).u16(encryption).u16(extension).u32(initialSequence).u32(mtu);
  writer.u32(flowWindow).u32(type).u32(socketId).u32(cookie).bytes(handshake.peerAddress);
  for (const { type: kind, content } of handshake.extensions) {
    const words = Math.ceil(content.length / 4);
    writer
      .u16(kind)
      .u16(words)
      .bytes(content)
      .bytes(new Uint8Array(words * 4 - content.length));
  }
  return writer.finish();
}
