import type { MessageParameters } from '../fields/parameters.ts';
import { readParameters, writeParameters } from '../fields/parameters.ts';
import type { TrackName } from '../model.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.14 TRACK_STATUS (0xD): a SUBSCRIBE that only asks. */
export type TrackStatus = {
  readonly type: 'trackStatus';
  readonly requestId: number;
  readonly track: TrackName;
  readonly parameters: MessageParameters;
};

export const trackStatus: MessageCodec<TrackStatus> = {
  code: 0xd,
  type: 'trackStatus',
  encode(writer, message, rules) {
    writer.varint(message.requestId).track(message.track);
    writeParameters(writer, message.parameters, rules);
  },
  decode(reader, rules) {
    return {
      type: 'trackStatus',
      requestId: reader.varint(),
      track: reader.track(),
      parameters: readParameters(reader, 'trackStatus', rules),
    };
  },
};
