import type { MessageCodec } from '../control/message-codec.ts';
import { toRequestErrorCode } from './error-codes.ts';
import { requestIdOf } from './request-id-of.ts';
import type { PublishNamespaceCancel } from './shared-control-message.ts';

/** draft-16 9.24 PUBLISH_NAMESPACE_CANCEL (0xC). */
export const publishNamespaceCancel: MessageCodec<PublishNamespaceCancel> = {
  code: 0x0c,
  type: 'publishNamespaceCancel',
  encode(writer, message) {
    writer.varint(requestIdOf(message)).varint(toRequestErrorCode(message.code)).reason(message.reason);
  },
  decode: (reader) => ({
    type: 'publishNamespaceCancel',
    requestId: reader.varint(),
    code: reader.varint(),
    reason: reader.reason(),
  }),
};
