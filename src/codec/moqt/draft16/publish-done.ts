import type { MessageCodec } from '../control/message-codec.ts';
import type { PublishDone } from '../control/publish-done.ts';
import { publishDone as draft18 } from '../control/publish-done.ts';
import { fromPublishDoneCode, toPublishDoneCode } from './error-codes.ts';
import { requestIdOf } from './request-id-of.ts';

/** PUBLISH_DONE (0xB) up to draft-16: that of draft-18 behind a request id, with codes of its own. */
export function publishDoneWith(
  toWire: (code: number) => number,
  fromWire: (code: number) => number,
): MessageCodec<PublishDone> {
  return {
    code: 0x0b,
    type: 'publishDone',
    encode(writer, message) {
      writer.varint(requestIdOf(message));
      draft18.encode(writer, { ...message, status: toWire(message.status) });
    },
    decode(reader) {
      const requestId = reader.varint();
      const message = draft18.decode(reader);
      return { ...message, requestId, status: fromWire(message.status) };
    },
  };
}

/** draft-16 9.15: two codes are the other way round. */
export const publishDone = publishDoneWith(toPublishDoneCode, fromPublishDoneCode);
