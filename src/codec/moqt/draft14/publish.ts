import type { MessageCodec } from '../control/message-codec.ts';
import type { Publish } from '../control/publish.ts';
import { readTrack } from '../draft16/track.ts';
import { orderOf, readFlag, readLargest, readOrder, writeLargest, writeOrder } from './fields.ts';
import { readParameters, trackProperties, writeTrackParameters } from './parameters.ts';

/** draft-14 9.13 PUBLISH (0x1D). */
export const publish: MessageCodec<Publish> = {
  code: 0x1d,
  type: 'publish',
  encode(writer, { requestId, track, trackAlias, parameters, trackProperties: properties }) {
    writer.varint(requestId).track(track).varint(trackAlias);
    writeOrder(writer, orderOf(properties));
    writeLargest(writer, parameters.largestObject);
    writer.u8((parameters.forward ?? true) ? 1 : 0);
    writeTrackParameters(writer, properties, parameters.authorizationTokens);
  },
  decode(reader) {
    const requestId = reader.varint();
    const track = readTrack(reader);
    const trackAlias = reader.varint();
    const order = readOrder(reader);
    const largest = readLargest(reader);
    const forward = readFlag(reader, 'Forward');
    const own = readParameters(reader);
    const { authorizationTokens } = own;
    const parameters = { ...largest, forward, ...(authorizationTokens !== undefined && { authorizationTokens }) };
    return { type: 'publish', requestId, track, trackAlias, parameters, trackProperties: trackProperties(own, order) };
  },
};
