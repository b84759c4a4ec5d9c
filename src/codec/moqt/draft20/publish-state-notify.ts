import type { MessageCodec } from '../control/message-codec.ts';
import { type MessageParameters, readParameters, writeParameters } from '../fields/parameters.ts';

/** draft-20 10.10 PUBLISH_STATE_NOTIFY (0x22): the publisher tells that terms of a subscription are others now. It wants no answer. */
export type PublishStateNotify = { readonly type: 'publishStateNotify'; readonly parameters: MessageParameters };

export const publishStateNotify: MessageCodec<PublishStateNotify> = {
  code: 0x22,
  type: 'publishStateNotify',
  encode: (writer, message, rules) => writeParameters(writer, message.parameters, rules),
  decode: (reader, rules) => ({
    type: 'publishStateNotify',
    parameters: readParameters(reader, 'publishStateNotify', rules),
  }),
};
