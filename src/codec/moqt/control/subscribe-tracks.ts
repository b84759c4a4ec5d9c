import type { MessageParameters } from '../fields/parameters.ts';
import { readParameters, writeParameters } from '../fields/parameters.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.19 SUBSCRIBE_TRACKS (0x51). */
export type SubscribeTracks = {
  readonly type: 'subscribeTracks';
  readonly requestId: number;
  readonly prefix: readonly string[];
  readonly parameters: MessageParameters;
};

export const subscribeTracks: MessageCodec<SubscribeTracks> = {
  code: 0x51,
  type: 'subscribeTracks',
  encode(writer, message, rules) {
    writer.varint(message.requestId).namespace(message.prefix);
    writeParameters(writer, message.parameters, rules);
  },
  decode(reader, rules) {
    return {
      type: 'subscribeTracks',
      requestId: reader.varint(),
      prefix: reader.namespace(),
      parameters: readParameters(reader, 'subscribeTracks', rules),
    };
  },
};
