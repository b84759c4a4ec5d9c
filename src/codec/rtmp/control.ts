import { ByteWriter } from '../../core/bytes.ts';
import { type AmfValue, decodeAmf0, encodeAmf0 } from './amf0.ts';
import { messageType, type RtmpMessage } from './message.ts';

/** A command or data message (RTMP 1.0 section 7.1.1): name, transaction and the rest. */
export type RtmpCommand = { name: string; transaction: number; object: AmfValue; args: AmfValue[] };

/** Throws as decodeAmf0 does. Type 17 is AMF0 behind a byte 0, by everything that still sends it. */
export function decodeCommand(message: RtmpMessage): RtmpCommand {
  const amf3 = message.type === messageType.commandAmf3;
  const values = decodeAmf0(amf3 && message.payload[0] === 0 ? message.payload.subarray(1) : message.payload);
  const [name, transaction, object, ...args] = values;
  return {
    name: typeof name === 'string' ? name : '',
    transaction: typeof transaction === 'number' ? transaction : 0,
    object,
    args,
  };
}

export function command(streamId: number, ...values: AmfValue[]): RtmpMessage {
  return { type: messageType.commandAmf0, streamId, timestamp: 0, payload: encodeAmf0(...values) };
}

/** NetStream and NetConnection status event (7.2.2). */
export function onStatus(streamId: number, level: 'status' | 'error', code: string, description: string): RtmpMessage {
  return command(streamId, 'onStatus', 0, null, { level, code, description });
}

export function setChunkSize(size: number): RtmpMessage {
  return control(messageType.setChunkSize, new ByteWriter(4).u32(size).finish());
}

export function windowAckSize(bytes: number): RtmpMessage {
  return control(messageType.windowAckSize, new ByteWriter(4).u32(bytes).finish());
}

/** Limit type 2, dynamic (5.4.5). */
export function setPeerBandwidth(bytes: number): RtmpMessage {
  return control(messageType.setPeerBandwidth, new ByteWriter(5).u32(bytes).u8(2).finish());
}

/** `sequence`: bytes received so far, modulo 2^32 (5.4.3). */
export function acknowledgement(sequence: number): RtmpMessage {
  return control(messageType.acknowledgement, new ByteWriter(4).u32(sequence % 0x1_0000_0000).finish());
}

/** User control event StreamBegin (7.1.7). */
export function streamBegin(streamId: number): RtmpMessage {
  return control(messageType.userControl, new ByteWriter(6).u16(0).u32(streamId).finish());
}

/** User control event PingResponse (7.1.7). */
export function pingResponse(timestamp: Uint8Array): RtmpMessage {
  return control(messageType.userControl, new ByteWriter(6).u16(7).bytes(timestamp).finish());
}

function control(type: number, payload: Uint8Array): RtmpMessage {
  return { type, streamId: 0, timestamp: 0, payload };
}
