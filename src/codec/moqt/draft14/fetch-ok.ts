import type { FetchOk } from '../control/fetch-ok.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import { requestIdOf } from '../draft16/request-id-of.ts';
import { orderOf, readFlag, readOrder, writeOrder } from './fields.ts';
import { readParameters, trackProperties, writeTrackParameters } from './parameters.ts';

/** draft-14 9.17 FETCH_OK (0x18). Group Order is that of the answer, not of the track: it is not looked at. */
export const fetchOk: MessageCodec<FetchOk> = {
  code: 0x18,
  type: 'fetchOk',
  encode(writer, message) {
    writer.varint(requestIdOf(message));
    writeOrder(writer, orderOf(message.trackProperties));
    writer.u8(message.endOfTrack ? 1 : 0).location(message.end);
    writeTrackParameters(writer, message.trackProperties);
  },
  decode(reader) {
    const requestId = reader.varint();
    readOrder(reader);
    const endOfTrack = readFlag(reader, 'End Of Track');
    const end = reader.location();
    const properties = trackProperties(readParameters(reader), 'ascending');
    return { type: 'fetchOk', requestId, endOfTrack, end, parameters: {}, trackProperties: properties };
  },
};
