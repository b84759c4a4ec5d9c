import type { MessageCodec } from '../control/message-codec.ts';
import type { Publish } from '../control/publish.ts';
import { readParameters, writeParameters } from './parameters.ts';
import { trackFromExtensions, trackToExtensions } from './properties.ts';
import { readTrack } from './track.ts';

/** draft-16 9.13 PUBLISH (0x1D). */
export const publish: MessageCodec<Publish> = {
  code: 0x1d,
  type: 'publish',
  encode(writer, message) {
    writer.varint(message.requestId).track(message.track).varint(message.trackAlias);
    writeParameters(writer, message.parameters);
    writer.bytes(trackToExtensions(message.trackProperties));
  },
  decode: (reader) => ({
    type: 'publish',
    requestId: reader.varint(),
    track: readTrack(reader),
    trackAlias: reader.varint(),
    parameters: readParameters(reader, 'publish'),
    trackProperties: trackFromExtensions(reader.rest()),
  }),
};
