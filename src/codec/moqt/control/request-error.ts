import { fromUtf8, utf8 } from '../../../core/bytes.ts';
import { requestErrorCodes } from '../codes.ts';
import type { RequestType, TrackName } from '../model.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.6 REQUEST_ERROR (0x5). `retryMs` absent: do not retry. `redirect` is there exactly when the code is REDIRECT. */
export type RequestErrorMessage = {
  readonly type: 'requestError';
  /** Where all requests share one control stream (draft-16 and before): the request it belongs to. */
  readonly requestId?: number;
  /** What is answered, where each kind of request has answers of its own (draft-14). */
  readonly request?: RequestType;
  readonly code: number;
  readonly retryMs?: number;
  readonly reason: string;
  readonly redirect?: { readonly uri: string; readonly track: TrackName };
};

export const requestError: MessageCodec<RequestErrorMessage> = {
  code: 0x5,
  type: 'requestError',
  encode(writer, message) {
    // The wire carries the interval plus one; 0 is "never".
    writer.varint(message.code).varint(message.retryMs === undefined ? 0 : message.retryMs + 1);
    writer.reason(message.reason);
    if (message.code === requestErrorCodes.redirect) {
      writer.lengthPrefixed(utf8(message.redirect?.uri ?? ''));
      writer.track(message.redirect?.track ?? { namespace: [], name: '' });
    }
  },
  decode(reader) {
    const code = reader.varint();
    const retry = reader.bounded();
    const reason = reader.reason();
    const base = { type: 'requestError', code, reason, ...(retry > 0 && { retryMs: retry - 1 }) } as const;
    if (code !== requestErrorCodes.redirect) return base;
    return { ...base, redirect: { uri: fromUtf8(reader.lengthPrefixed()), track: reader.track() } };
  },
};
