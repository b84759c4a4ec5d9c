import type { MessageParameters } from '../fields/parameters.ts';
import { readParameters, writeParameters } from '../fields/parameters.ts';
import type { TrackName } from '../model.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.7 SUBSCRIBE (0x3), first on a request stream. */
export type Subscribe = {
  readonly type: 'subscribe';
  readonly requestId: number;
  readonly track: TrackName;
  readonly parameters: MessageParameters;
};

export const subscribe: MessageCodec<Subscribe> = {
  code: 0x3,
  type: 'subscribe',
  encode(writer, message, rules) {
    writer.varint(message.requestId).track(message.track);
    writeParameters(writer, message.parameters, rules);
  },
  decode(reader, rules) {
    return {
      type: 'subscribe',
      requestId: reader.varint(),
      track: reader.track(),
      parameters: readParameters(reader, 'subscribe', rules),
    };
  },
};
