import { emptyBytes } from '../../../core/bytes.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import type { RequestErrorMessage } from '../control/request-error.ts';
import type { RequestOk } from '../control/request-ok.ts';
import { requestIdOf } from '../draft16/request-id-of.ts';
import type { Request } from '../message.ts';
import { fromRequestErrorCode, toRequestErrorCode } from './error-codes.ts';

/** An answer that says yes and nothing else. */
function ok(code: number, request: Request['type']): MessageCodec<RequestOk> {
  return {
    code,
    type: 'requestOk',
    encode: (writer, message) => void writer.varint(requestIdOf(message)),
    decode: (reader) => ({
      type: 'requestOk',
      request,
      requestId: reader.varint(),
      parameters: {},
      trackProperties: emptyBytes,
    }),
  };
}

/** An answer that says no. When to try again cannot be told. */
function error(code: number, request: Request['type']): MessageCodec<RequestErrorMessage> {
  return {
    code,
    type: 'requestError',
    encode(writer, message) {
      writer.varint(requestIdOf(message)).varint(toRequestErrorCode(request, message.code)).reason(message.reason);
    },
    decode: (reader) => ({
      type: 'requestError',
      request,
      requestId: reader.varint(),
      code: fromRequestErrorCode(request, reader.varint()),
      reason: reader.reason(),
    }),
  };
}

/** draft-14 9.24 PUBLISH_NAMESPACE_OK (0x7) */
export const publishNamespaceOk = ok(0x07, 'publishNamespace');
/** draft-14 9.29 SUBSCRIBE_NAMESPACE_OK (0x12) */
export const subscribeNamespaceOk = ok(0x12, 'subscribeNamespace');
/** draft-14 9.9 SUBSCRIBE_ERROR (0x5) */
export const subscribeError = error(0x05, 'subscribe');
/** draft-14 9.15 PUBLISH_ERROR (0x1F) */
export const publishError = error(0x1f, 'publish');
/** draft-14 9.18 FETCH_ERROR (0x19) */
export const fetchError = error(0x19, 'fetch');
/** draft-14 9.22 TRACK_STATUS_ERROR (0xF) */
export const trackStatusError = error(0x0f, 'trackStatus');
/** draft-14 9.25 PUBLISH_NAMESPACE_ERROR (0x8) */
export const publishNamespaceError = error(0x08, 'publishNamespace');
/** draft-14 9.30 SUBSCRIBE_NAMESPACE_ERROR (0x13) */
export const subscribeNamespaceError = error(0x13, 'subscribeNamespace');
