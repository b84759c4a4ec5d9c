import type { MessageCodec } from '../control/message-codec.ts';
import { readParameters, writeParameters } from './parameters.ts';
import type { PublishOk } from './shared-control-message.ts';

/** draft-16 9.14 PUBLISH_OK (0x1E). */
export const publishOk: MessageCodec<PublishOk> = {
  code: 0x1e,
  type: 'publishOk',
  encode(writer, message) {
    writer.varint(message.requestId);
    writeParameters(writer, message.parameters);
  },
  decode: (reader) => ({
    type: 'publishOk',
    requestId: reader.varint(),
    parameters: readParameters(reader, 'publishOk'),
  }),
};
