import type { MessageCodec } from '../control/message-codec.ts';
import type { PublishDone } from '../control/publish-done.ts';
import { publishDone as draft18 } from '../control/publish-done.ts';
import { requestIdOf } from '../draft16/request-id-of.ts';
import { fromPublishDoneCode, toPublishDoneCode } from './error-codes.ts';

/** draft-14 9.12 PUBLISH_DONE (0xB): that of draft-18 behind a request id, with codes of its own. */
export const publishDone: MessageCodec<PublishDone> = {
  code: 0x0b,
  type: 'publishDone',
  encode(writer, message) {
    writer.varint(requestIdOf(message));
    draft18.encode(writer, { ...message, status: toPublishDoneCode(message.status) });
  },
  decode(reader) {
    const requestId = reader.varint();
    const message = draft18.decode(reader);
    return { ...message, requestId, status: fromPublishDoneCode(message.status) };
  },
};
