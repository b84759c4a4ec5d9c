import type { MessageCodec } from '../control/message-codec.ts';
import type { Subscribe } from '../control/subscribe.ts';
import { readParameters, writeParameters } from './parameters.ts';
import { readTrack } from './track.ts';

/** draft-16 9.9 SUBSCRIBE (0x3). */
export const subscribe: MessageCodec<Subscribe> = {
  code: 0x03,
  type: 'subscribe',
  encode(writer, message) {
    writer.varint(message.requestId).track(message.track);
    writeParameters(writer, message.parameters);
  },
  decode: (reader) => ({
    type: 'subscribe',
    requestId: reader.varint(),
    track: readTrack(reader),
    parameters: readParameters(reader, 'subscribe'),
  }),
};
