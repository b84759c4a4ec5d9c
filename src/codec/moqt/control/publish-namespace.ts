import type { MessageParameters } from '../fields/parameters.ts';
import { readParameters, writeParameters } from '../fields/parameters.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.15 PUBLISH_NAMESPACE (0x6), first on a request stream; withdrawn by cancelling that stream. */
export type PublishNamespace = {
  readonly type: 'publishNamespace';
  readonly requestId: number;
  readonly namespace: readonly string[];
  readonly parameters: MessageParameters;
};

export const publishNamespace: MessageCodec<PublishNamespace> = {
  code: 0x6,
  type: 'publishNamespace',
  encode(writer, message, rules) {
    writer.varint(message.requestId).namespace(message.namespace);
    writeParameters(writer, message.parameters, rules);
  },
  decode(reader, rules) {
    return {
      type: 'publishNamespace',
      requestId: reader.varint(),
      namespace: reader.namespace(),
      parameters: readParameters(reader, 'publishNamespace', rules),
    };
  },
};
