import type { MessageParameters } from '../fields/parameters.ts';
import { readParameters, writeParameters } from '../fields/parameters.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.8 SUBSCRIBE_OK (0x4). `trackProperties` are undecoded pairs (see track-properties.ts). */
export type SubscribeOk = {
  readonly type: 'subscribeOk';
  /** Where all requests share one control stream (draft-16 and before): the request it belongs to. */
  readonly requestId?: number;
  readonly trackAlias: number;
  readonly parameters: MessageParameters;
  readonly trackProperties: Uint8Array;
};

export const subscribeOk: MessageCodec<SubscribeOk> = {
  code: 0x4,
  type: 'subscribeOk',
  encode(writer, message, rules) {
    writer.varint(message.trackAlias);
    writeParameters(writer, message.parameters, rules);
    writer.bytes(message.trackProperties);
  },
  decode(reader, rules) {
    return {
      type: 'subscribeOk',
      trackAlias: reader.varint(),
      parameters: readParameters(reader, 'subscribeOk', rules),
      trackProperties: reader.rest(),
    };
  },
};
