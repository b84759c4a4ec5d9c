import type { MessageCodec } from '../control/message-codec.ts';
import type { PublishNamespace } from '../control/publish-namespace.ts';
import { readParameters, writeParameters } from './parameters.ts';
import { readNamespace } from './track.ts';

/** draft-16 9.20 PUBLISH_NAMESPACE (0x6). */
export const publishNamespace: MessageCodec<PublishNamespace> = {
  code: 0x06,
  type: 'publishNamespace',
  encode(writer, message) {
    writer.varint(message.requestId).namespace(message.namespace);
    writeParameters(writer, message.parameters);
  },
  decode: (reader) => ({
    type: 'publishNamespace',
    requestId: reader.varint(),
    namespace: readNamespace(reader),
    parameters: readParameters(reader, 'publishNamespace'),
  }),
};
