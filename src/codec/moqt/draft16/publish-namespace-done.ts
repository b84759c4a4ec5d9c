import type { MessageCodec } from '../control/message-codec.ts';
import { requestIdOf } from './request-id-of.ts';
import type { PublishNamespaceDone } from './shared-control-message.ts';

/** draft-16 9.22 PUBLISH_NAMESPACE_DONE (0x9). */
export const publishNamespaceDone: MessageCodec<PublishNamespaceDone> = {
  code: 0x09,
  type: 'publishNamespaceDone',
  encode(writer, message) {
    writer.varint(requestIdOf(message));
  },
  decode: (reader) => ({ type: 'publishNamespaceDone', requestId: reader.varint() }),
};
