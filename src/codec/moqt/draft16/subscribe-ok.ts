import type { MessageCodec } from '../control/message-codec.ts';
import type { SubscribeOk } from '../control/subscribe-ok.ts';
import { readParameters, writeParameters } from './parameters.ts';
import { trackFromExtensions, trackToExtensions } from './properties.ts';
import { requestIdOf } from './request-id-of.ts';

/** draft-16 9.10 SUBSCRIBE_OK (0x4). */
export const subscribeOk: MessageCodec<SubscribeOk> = {
  code: 0x04,
  type: 'subscribeOk',
  encode(writer, message) {
    writer.varint(requestIdOf(message)).varint(message.trackAlias);
    writeParameters(writer, message.parameters);
    writer.bytes(trackToExtensions(message.trackProperties));
  },
  decode: (reader) => ({
    type: 'subscribeOk',
    requestId: reader.varint(),
    trackAlias: reader.varint(),
    parameters: readParameters(reader, 'subscribeOk'),
    trackProperties: trackFromExtensions(reader.rest()),
  }),
};
