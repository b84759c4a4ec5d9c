import type { MessageCodec } from '../control/message-codec.ts';
import type { FetchCancel } from './shared-control-message.ts';

/** draft-16 9.18 FETCH_CANCEL (0x17). */
export const fetchCancel: MessageCodec<FetchCancel> = {
  code: 0x17,
  type: 'fetchCancel',
  encode(writer, message) {
    writer.varint(message.requestId);
  },
  decode: (reader) => ({ type: 'fetchCancel', requestId: reader.varint() }),
};
