import type { MessageParameters } from '../fields/parameters.ts';
import { readParameters, writeParameters } from '../fields/parameters.ts';
import type { Location } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import type { MessageCodec } from './message-codec.ts';

/** draft-18 10.13 FETCH_OK (0x18). `end` as in FETCH. */
export type FetchOk = {
  readonly type: 'fetchOk';
  /** Where all requests share one control stream (draft-16 and before): the request it belongs to. */
  readonly requestId?: number;
  readonly endOfTrack: boolean;
  readonly end: Location;
  readonly parameters: MessageParameters;
  readonly trackProperties: Uint8Array;
};

export const fetchOk: MessageCodec<FetchOk> = {
  code: 0x18,
  type: 'fetchOk',
  encode(writer, message, rules) {
    writer.u8(message.endOfTrack ? 1 : 0).location(message.end);
    writeParameters(writer, message.parameters, rules);
    writer.bytes(message.trackProperties);
  },
  decode(reader, rules) {
    const endOfTrack = reader.u8();
    if (endOfTrack > 1) throw protocolViolation(`FETCH_OK End Of Track ${endOfTrack}`);
    return {
      type: 'fetchOk',
      endOfTrack: endOfTrack === 1,
      end: reader.location(),
      parameters: readParameters(reader, 'fetchOk', rules),
      trackProperties: reader.rest(),
    };
  },
};
