import { emptyBytes } from '../../../core/bytes.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import type { RequestOk } from '../control/request-ok.ts';
import { readParameters, writeParameters } from './parameters.ts';
import { requestIdOf } from './request-id-of.ts';

/** draft-16 9.7 REQUEST_OK (0x7). Track properties cannot be told: they are left out. */
export const requestOk: MessageCodec<RequestOk> = {
  code: 0x07,
  type: 'requestOk',
  encode(writer, message) {
    writer.varint(requestIdOf(message));
    writeParameters(writer, message.parameters);
  },
  decode: (reader) => ({
    type: 'requestOk',
    requestId: reader.varint(),
    parameters: readParameters(reader, 'requestOk'),
    trackProperties: emptyBytes,
  }),
};
