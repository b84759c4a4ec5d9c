import type { MessageParameters } from '../fields/parameters.ts';
import { readParameters, writeParameters } from '../fields/parameters.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.18 SUBSCRIBE_NAMESPACE (0x50). */
export type SubscribeNamespace = {
  readonly type: 'subscribeNamespace';
  readonly requestId: number;
  readonly prefix: readonly string[];
  /** SUBSCRIBE_TRACKS as well, where one message can ask for both (drafts up to 16). */
  readonly tracks?: true;
  readonly parameters: MessageParameters;
};

export const subscribeNamespace: MessageCodec<SubscribeNamespace> = {
  code: 0x50,
  type: 'subscribeNamespace',
  encode(writer, message, rules) {
    writer.varint(message.requestId).namespace(message.prefix);
    writeParameters(writer, message.parameters, rules);
  },
  decode(reader, rules) {
    return {
      type: 'subscribeNamespace',
      requestId: reader.varint(),
      prefix: reader.namespace(),
      parameters: readParameters(reader, 'subscribeNamespace', rules),
    };
  },
};
