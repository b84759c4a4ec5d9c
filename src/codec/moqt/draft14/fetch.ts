import type { Fetch } from '../control/fetch.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import { readRange, writeRange } from '../draft16/fetch.ts';
import { readWantedOrder, writeOrder } from './fields.ts';
import { readParameters, requestParameters, writeTokens } from './parameters.ts';

/** draft-14 9.16 FETCH (0x16). */
export const fetch: MessageCodec<Fetch> = {
  code: 0x16,
  type: 'fetch',
  encode(writer, { requestId, range, parameters }) {
    writer.varint(requestId).priority(parameters.subscriberPriority ?? 128);
    writeOrder(writer, parameters.groupOrder);
    writeRange(writer, range);
    writeTokens(writer, parameters);
  },
  decode(reader) {
    const requestId = reader.varint();
    const subscriberPriority = reader.u8();
    const groupOrder = readWantedOrder(reader);
    const range = readRange(reader);
    const { authorizationTokens } = requestParameters(readParameters(reader));
    const parameters = {
      subscriberPriority,
      ...(groupOrder !== undefined && { groupOrder }),
      ...(authorizationTokens !== undefined && { authorizationTokens }),
    };
    return { type: 'fetch', requestId, range, parameters };
  },
};
