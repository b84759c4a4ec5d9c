import type { MessageParameters } from '../fields/parameters.ts';
import { readParameters, writeParameters } from '../fields/parameters.ts';
import type { TrackName } from '../model.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.10 PUBLISH (0x1D): the publisher starts the subscription. */
export type Publish = {
  readonly type: 'publish';
  readonly requestId: number;
  readonly track: TrackName;
  readonly trackAlias: number;
  readonly parameters: MessageParameters;
  readonly trackProperties: Uint8Array;
};

export const publish: MessageCodec<Publish> = {
  code: 0x1d,
  type: 'publish',
  encode(writer, message, rules) {
    writer.varint(message.requestId).track(message.track).varint(message.trackAlias);
    writeParameters(writer, message.parameters, rules);
    writer.bytes(message.trackProperties);
  },
  decode(reader, rules) {
    return {
      type: 'publish',
      requestId: reader.varint(),
      track: reader.track(),
      trackAlias: reader.varint(),
      parameters: readParameters(reader, 'publish', rules),
      trackProperties: reader.rest(),
    };
  },
};
