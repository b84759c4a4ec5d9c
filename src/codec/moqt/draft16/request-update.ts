import { StreamsError } from '../../../core/errors.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import type { RequestUpdate } from '../control/request-update.ts';
import { readParameters, writeParameters } from './parameters.ts';

/** draft-16 9.11 REQUEST_UPDATE (0x2). A prefix cannot be changed: UNSUPPORTED. */
export const requestUpdate: MessageCodec<RequestUpdate> = {
  code: 0x02,
  type: 'requestUpdate',
  encode(writer, { requestId, existingRequestId, parameters }) {
    if (parameters.trackNamespacePrefix !== undefined)
      throw new StreamsError('UNSUPPORTED', 'a prefix cannot be changed in draft-16');
    if (existingRequestId === undefined) throw new StreamsError('INTERNAL', 'REQUEST_UPDATE of no request');
    writer.varint(requestId).varint(existingRequestId);
    writeParameters(writer, parameters);
  },
  decode: (reader) => ({
    type: 'requestUpdate',
    requestId: reader.varint(),
    existingRequestId: reader.varint(),
    parameters: readParameters(reader, 'requestUpdate'),
  }),
};
