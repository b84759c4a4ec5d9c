import type { MessageCodec } from '../control/message-codec.ts';
import type { Unsubscribe } from './shared-control-message.ts';

/** draft-16 9.12 UNSUBSCRIBE (0xA). */
export const unsubscribe: MessageCodec<Unsubscribe> = {
  code: 0x0a,
  type: 'unsubscribe',
  encode(writer, message) {
    writer.varint(message.requestId);
  },
  decode: (reader) => ({ type: 'unsubscribe', requestId: reader.varint() }),
};
