import type { FetchOk } from '../control/fetch-ok.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import { protocolViolation } from '../moqt-error.ts';
import { readParameters, writeParameters } from './parameters.ts';
import { trackFromExtensions, trackToExtensions } from './properties.ts';
import { requestIdOf } from './request-id-of.ts';

/** draft-16 9.17 FETCH_OK (0x18). */
export const fetchOk: MessageCodec<FetchOk> = {
  code: 0x18,
  type: 'fetchOk',
  encode(writer, message) {
    writer
      .varint(requestIdOf(message))
      .u8(message.endOfTrack ? 1 : 0)
      .location(message.end);
    writeParameters(writer, message.parameters);
    writer.bytes(trackToExtensions(message.trackProperties));
  },
  decode(reader) {
    const requestId = reader.varint();
    const endOfTrack = reader.u8();
    if (endOfTrack > 1) throw protocolViolation(`FETCH_OK End Of Track ${endOfTrack}`);
    return {
      type: 'fetchOk',
      requestId,
      endOfTrack: endOfTrack === 1,
      end: reader.location(),
      parameters: readParameters(reader, 'fetchOk'),
      trackProperties: trackFromExtensions(reader.rest()),
    };
  },
};
