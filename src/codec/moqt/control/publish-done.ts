import type { MessageCodec } from './message-codec.ts';

const unknownCount = (1n << 62n) - 1n;

/** draft-18 10.11 PUBLISH_DONE (0xB), last on its stream. `streamCount` absent: the publisher does not know (2^62-1 on the wire). */
export type PublishDone = {
  readonly type: 'publishDone';
  /** Where all requests share one control stream (draft-16 and before): the request it belongs to. */
  readonly requestId?: number;
  readonly status: number;
  readonly streamCount?: number;
  readonly reason: string;
};

export const publishDone: MessageCodec<PublishDone> = {
  code: 0xb,
  type: 'publishDone',
  encode(writer, message) {
    writer
      .varint(message.status)
      .varint(message.streamCount ?? unknownCount)
      .reason(message.reason);
  },
  decode(reader) {
    const status = reader.varint();
    const count = reader.varintBig();
    const reason = reader.reason();
    if (count > BigInt(Number.MAX_SAFE_INTEGER)) return { type: 'publishDone', status, reason };
    return { type: 'publishDone', status, streamCount: Number(count), reason };
  },
};
