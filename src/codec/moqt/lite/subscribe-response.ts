import { protocolViolation } from '../moqt-error.ts';
import { quicVarints } from '../quic-varints.ts';
import { WireWriter } from '../wire.ts';
import { readFlag, readOffset, writeOffset } from './fields.ts';
import { encodeMessage, type MessageCodec } from './message.ts';
import { hasTrackInfo, type LiteVersion } from './version.ts';

/** draft-lcurley-moq-lite-04, SUBSCRIBE_OK: the publisher's side of the terms. */
export type SubscribeOk = {
  readonly type: 'ok';
  readonly priority: number;
  readonly ordered: boolean;
  readonly maxLatencyMs: number;
  readonly groupStart: number | undefined;
  readonly groupEnd: number | undefined;
};
/** draft-lcurley-moq-lite-05, SUBSCRIBE_OK: the first group that will come. */
export type SubscribeStart = { readonly type: 'start'; readonly group: number };
/**
 * draft-lcurley-moq-lite-05, SUBSCRIBE_END: `group` is the first that will never come. The text of -05 meant the last that may;
 * -06 corrects it, and released peers speak -05 as corrected. Behind group 2^53-1 it is 2^53, which is read as 2^53-1.
 */
export type SubscribeEnd = { readonly type: 'end'; readonly group: number };
/** draft-lcurley-moq-lite-05, SUBSCRIBE_DROP: these groups, both inclusive, will not come. */
export type SubscribeDrop = {
  readonly type: 'drop';
  readonly groupStart: number;
  readonly groupEnd: number;
  readonly errorCode: number;
};

/** What a publisher says on a Subscribe Stream. */
export type SubscribeResponse = SubscribeOk | SubscribeStart | SubscribeEnd | SubscribeDrop;

const ok: MessageCodec<SubscribeResponse> = {
  name: 'SUBSCRIBE_OK',
  write(writer, value) {
    const { priority, ordered, maxLatencyMs, groupStart, groupEnd } = value as SubscribeOk;
    writer
      .priority(priority)
      .u8(ordered ? 1 : 0)
      .varint(maxLatencyMs);
    writeOffset(writer, groupStart);
    writeOffset(writer, groupEnd);
  },
  read: (reader) => ({
    type: 'ok',
    priority: reader.u8(),
    ordered: readFlag(reader),
    maxLatencyMs: reader.varint(),
    groupStart: readOffset(reader),
    groupEnd: readOffset(reader),
  }),
};

const start: MessageCodec<SubscribeResponse> = {
  name: 'SUBSCRIBE_OK',
  write: (writer, value) => void writer.varint((value as SubscribeStart).group),
  read: (reader) => ({ type: 'start', group: reader.varint() }),
};

const end: MessageCodec<SubscribeResponse> = {
  name: 'SUBSCRIBE_END',
  write: (writer, value) => void writer.varint(BigInt((value as SubscribeEnd).group)),
  read: (reader) => ({ type: 'end', group: reader.bounded() }),
};

const drop: MessageCodec<SubscribeResponse> = {
  name: 'SUBSCRIBE_DROP',
  write(writer, value) {
    const { groupStart, groupEnd, errorCode } = value as SubscribeDrop;
    writer.varint(groupStart).varint(groupEnd).varint(errorCode);
  },
  read(reader) {
    const [groupStart, groupEnd, errorCode] = [reader.varint(), reader.varint(), reader.varint()];
    if (groupEnd < groupStart) throw protocolViolation('SUBSCRIBE_DROP ends before it starts');
    return { type: 'drop', groupStart, groupEnd, errorCode };
  },
};

/** By the integer in front of each. */
function codecs(version: LiteVersion): readonly MessageCodec<SubscribeResponse>[] {
  return hasTrackInfo(version) ? [start, end, drop] : [ok, drop];
}

/** For StreamBuffer.typed. Throws PROTOCOL_VIOLATION. */
export function subscribeResponseCodec(version: LiteVersion): (type: number) => MessageCodec<SubscribeResponse> {
  const known = codecs(version);
  return (type) => {
    const codec = known[type];
    if (codec === undefined) throw protocolViolation(`message ${type} in answer to SUBSCRIBE`);
    return codec;
  };
}

export function encodeSubscribeResponse(value: SubscribeResponse, version: LiteVersion): Uint8Array {
  const codec = { ok, start, end, drop }[value.type];
  const message = encodeMessage(codec, value, version);
  return new WireWriter(quicVarints, message.length + 1).varint(codecs(version).indexOf(codec)).bytes(message).finish();
}
