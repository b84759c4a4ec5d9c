import type { MessageParameters } from '../fields/parameters.ts';
import { readParameters, writeParameters } from '../fields/parameters.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.9 REQUEST_UPDATE (0x2), on the stream of the request it changes. It has a request id of its own. */
export type RequestUpdate = {
  readonly type: 'requestUpdate';
  readonly requestId: number;
  /** Where all requests share one control stream (draft-16 and before): the request it changes. */
  readonly existingRequestId?: number;
  readonly parameters: MessageParameters;
};

export const requestUpdate: MessageCodec<RequestUpdate> = {
  code: 0x2,
  type: 'requestUpdate',
  encode(writer, message, rules) {
    writer.varint(message.requestId);
    writeParameters(writer, message.parameters, rules);
  },
  decode(reader, rules) {
    return {
      type: 'requestUpdate',
      requestId: reader.varint(),
      parameters: readParameters(reader, 'requestUpdate', rules),
    };
  },
};
