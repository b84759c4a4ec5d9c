import type { MessageCodec } from '../control/message-codec.ts';
import type { RequestsBlocked } from './shared-control-message.ts';

/** draft-16 9.6 REQUESTS_BLOCKED (0x1A). */
export const requestsBlocked: MessageCodec<RequestsBlocked> = {
  code: 0x1a,
  type: 'requestsBlocked',
  encode(writer, message) {
    writer.varint(message.max);
  },
  decode: (reader) => ({ type: 'requestsBlocked', max: reader.bounded() }),
};
