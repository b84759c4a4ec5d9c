import type { MessageCodec } from '../control/message-codec.ts';
import type { RequestErrorMessage } from '../control/request-error.ts';
import { toRequestErrorCode } from './error-codes.ts';
import { requestIdOf } from './request-id-of.ts';

/** draft-16 9.8 REQUEST_ERROR (0x5). There is no redirect. */
export const requestError: MessageCodec<RequestErrorMessage> = {
  code: 0x05,
  type: 'requestError',
  encode(writer, message) {
    // The wire carries the interval plus one; 0 is "never".
    const retry = message.retryMs === undefined ? 0 : message.retryMs + 1;
    writer.varint(requestIdOf(message)).varint(toRequestErrorCode(message.code)).varint(retry).reason(message.reason);
  },
  decode(reader) {
    const requestId = reader.varint();
    const code = reader.varint();
    const retry = reader.bounded();
    const reason = reader.reason();
    return { type: 'requestError', requestId, code, reason, ...(retry > 0 && { retryMs: retry - 1 }) };
  },
};
