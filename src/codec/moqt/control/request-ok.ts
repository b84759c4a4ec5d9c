import type { MessageParameters } from '../fields/parameters.ts';
import { readParameters, writeParameters } from '../fields/parameters.ts';
import type { RequestType } from '../model.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.5 REQUEST_OK (0x7). `trackProperties` (undecoded pairs) are there only in answer to TRACK_STATUS. */
export type RequestOk = {
  readonly type: 'requestOk';
  /** Where all requests share one control stream (draft-16 and before): the request it belongs to. */
  readonly requestId?: number;
  /** What is answered, where each kind of request has answers of its own (draft-14). */
  readonly request?: RequestType;
  readonly parameters: MessageParameters;
  readonly trackProperties: Uint8Array;
};

export const requestOk: MessageCodec<RequestOk> = {
  code: 0x7,
  type: 'requestOk',
  encode(writer, message, rules) {
    writeParameters(writer, message.parameters, rules);
    writer.bytes(message.trackProperties);
  },
  decode(reader, rules) {
    return {
      type: 'requestOk',
      parameters: readParameters(reader, 'requestOk', rules),
      trackProperties: reader.rest(),
    };
  },
};
