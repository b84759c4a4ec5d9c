import type { MessageCodec } from '../control/message-codec.ts';
import type { PublishOk } from '../draft16/shared-control-message.ts';
import { writeFilter } from '../fields/filter.ts';
import { readFlag, readOrder, readSubscriptionFilter, writeOrder } from './fields.ts';
import { readParameters, requestParameters, writeRequestParameters } from './parameters.ts';

/** draft-14 9.14 PUBLISH_OK (0x1E). It has to name an order: who does not care gets the older groups first. */
export const publishOk: MessageCodec<PublishOk> = {
  code: 0x1e,
  type: 'publishOk',
  encode(writer, { requestId, parameters }) {
    const { forward = true, subscriberPriority = 128, groupOrder = 'ascending' } = parameters;
    writer
      .varint(requestId)
      .u8(forward ? 1 : 0)
      .priority(subscriberPriority);
    writeOrder(writer, groupOrder);
    writeFilter(writer, parameters.subscriptionFilter ?? { type: 'unfiltered' }, 'absolute');
    writeRequestParameters(writer, parameters);
  },
  decode(reader) {
    const requestId = reader.varint();
    const forward = readFlag(reader, 'Forward');
    const subscriberPriority = reader.u8();
    const groupOrder = readOrder(reader);
    const subscriptionFilter = readSubscriptionFilter(reader);
    // A token has no place here (9.2.1.1): it is ignored.
    const { authorizationTokens: _, ...rest } = requestParameters(readParameters(reader));
    const parameters = { forward, subscriberPriority, groupOrder, subscriptionFilter, ...rest };
    return { type: 'publishOk', requestId, parameters };
  },
};
