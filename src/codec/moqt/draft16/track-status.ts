import type { MessageCodec } from '../control/message-codec.ts';
import type { TrackStatus } from '../control/track-status.ts';
import { readParameters, writeParameters } from './parameters.ts';
import { readTrack } from './track.ts';

/** draft-16 9.19 TRACK_STATUS (0xD). */
export const trackStatus: MessageCodec<TrackStatus> = {
  code: 0x0d,
  type: 'trackStatus',
  encode(writer, message) {
    writer.varint(message.requestId).track(message.track);
    writeParameters(writer, message.parameters);
  },
  decode: (reader) => ({
    type: 'trackStatus',
    requestId: reader.varint(),
    track: readTrack(reader),
    parameters: readParameters(reader, 'trackStatus'),
  }),
};
