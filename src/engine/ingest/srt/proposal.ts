import {
  type Capabilities,
  decodeCapabilities,
  decodeText,
  encodeCapabilities,
  srtFlag,
} from '../../../codec/srt/extensions.ts';
import {
  type Extension,
  encodeHandshake,
  extensionFlag,
  extensionType,
  type Handshake,
  handshakeType,
  inductionMagic,
} from '../../../codec/srt/handshake.ts';
import { decodeKeyMaterial, type KeyMaterial } from '../../../codec/srt/key-material.ts';
import { StreamsError } from '../../../core/errors.ts';
import { windowPackets } from './connection.ts';
import { type Refusal, refusalOf, rejection } from './rejection.ts';

/** What a caller asks for in its conclusion. */
export type Proposal = {
  handshake: Handshake;
  capabilities: Capabilities;
  streamId: string;
  /** As it came, and read. */
  keyMaterial: { content: Uint8Array; value: KeyMaterial } | undefined;
};

/** 1.5.1: the level of libsrt whose behaviour this has. */
const ourVersion = 0x01_05_01;
/** First version with handshake 5. */
const oldestVersion = 0x01_03_00;
const mtuBytes = 1500;

/** Reads a conclusion; a value says why it cannot be served, whoever sent it. */
export function readProposal(handshake: Handshake): Proposal | Refusal {
  if (handshake.version < 5) return refuse(rejection.version, 'SRT handshake version 4; 5 is needed (libsrt 1.3)');
  const find = (type: number) => handshake.extensions.find((extension) => extension.type === type)?.content;
  try {
    const request = find(extensionType.handshakeRequest);
    if (request === undefined) return refuse(rejection.rogue, 'no SRT handshake extension');
    const capabilities = decodeCapabilities(request);
    if (capabilities.version < oldestVersion) return refuse(rejection.version, 'SRT version before 1.3');
    if (capabilities.flags & srtFlag.stream)
      return refuse(rejection.messageApi, 'SRT buffer mode; live mode is needed');
    const congestion = find(extensionType.congestion);
    if (congestion !== undefined && decodeText(congestion) !== 'live')
      return refuse(rejection.congestion, 'SRT congestion control that is not "live"');
    if (find(extensionType.filter) !== undefined) return refuse(rejection.filter, 'SRT packet filter');
    if (find(extensionType.group) !== undefined) return refuse(rejection.group, 'SRT connection group');
    const content = find(extensionType.keyMaterialRequest);
    if (content === undefined && handshake.encryption !== 0)
      return refuse(rejection.unsecure, 'SRT encryption without key material');
    const streamId = find(extensionType.streamId);
    return {
      handshake,
      capabilities,
      streamId: streamId === undefined ? '' : decodeText(streamId),
      keyMaterial: content === undefined ? undefined : { content, value: decodeKeyMaterial(content) },
    };
  } catch (error) {
    if (!(error instanceof StreamsError)) throw error;
    return error.code === 'UNSUPPORTED' ? refuse(rejection.crypto, error.message) : refusalOf(error);
  }
}

function refuse(reason: number, message: string): Refusal {
  return { reason, message };
}

/** The answer to an induction (draft-sharabayko-srt-01 section 4.3.1.1). */
export function inductionAnswer(handshake: Handshake, cookie: number, address: string): Uint8Array {
  return encodeHandshake({
    ...handshake,
    version: 5,
    encryption: 0,
    extension: inductionMagic,
    type: handshakeType.induction,
    cookie,
    peerAddress: addressBytes(address),
    extensions: [],
  });
}

/** Latency that both sides get: the longer of what they want. Milliseconds. */
export function agreedLatency({ capabilities }: Proposal, ourLatencyMs: number): number {
  return Math.max(ourLatencyMs, capabilities.senderDelay);
}

/** The answer that opens the connection. */
export function acceptance(proposal: Proposal, socketId: number, latencyMs: number, address: string): Uint8Array {
  const { handshake, capabilities, keyMaterial } = proposal;
  const flags = srtFlag.tsbpdSender | srtFlag.tsbpdReceiver | srtFlag.tooLateDrop | srtFlag.periodicNak;
  const extensions: Extension[] = [
    {
      type: extensionType.handshakeResponse,
      content: encodeCapabilities({
        version: ourVersion,
        flags: flags | srtFlag.retransmitFlag | srtFlag.crypt,
        receiverDelay: latencyMs,
        senderDelay: capabilities.receiverDelay,
      }),
    },
  ];
  if (keyMaterial !== undefined)
    extensions.push({ type: extensionType.keyMaterialResponse, content: keyMaterial.content });
  return encodeHandshake({
    ...handshake,
    version: 5,
    extension: extensionFlag.handshake | (keyMaterial === undefined ? 0 : extensionFlag.keyMaterial),
    mtu: Math.min(handshake.mtu, mtuBytes),
    flowWindow: windowPackets,
    socketId,
    peerAddress: addressBytes(address),
    extensions,
  });
}

/** The answer that turns the caller away. */
export function refusalAnswer(handshake: Handshake, reason: number): Uint8Array {
  return encodeHandshake({ ...handshake, version: 5, extension: 0, type: 1000 + reason, extensions: [] });
}

/** The caller's own address: IPv4 in the order libsrt reads it; zeros for IPv6. */
function addressBytes(address: string): Uint8Array {
  const out = new Uint8Array(16);
  const parts = address.split('.').map(Number);
  if (parts.length === 4) out.set(parts.reverse());
  return out;
}
