import type { MessageCodec } from '../control/message-codec.ts';
import type { MaxRequestId } from './shared-control-message.ts';

/** draft-16 9.5 MAX_REQUEST_ID (0x15). */
export const maxRequestId: MessageCodec<MaxRequestId> = {
  code: 0x15,
  type: 'maxRequestId',
  encode(writer, message) {
    writer.varint(message.max);
  },
  decode: (reader) => ({ type: 'maxRequestId', max: reader.bounded() }),
};
