import { StreamsError } from '../../../core/errors.ts';
import type { MessageCodec } from '../control/message-codec.ts';
import type { RequestUpdate } from '../control/request-update.ts';
import { protocolViolation } from '../moqt-error.ts';
import { readFlag } from './fields.ts';
import { readParameters, requestParameters, writeRequestParameters } from './parameters.ts';

/**
 * draft-14 9.10 SUBSCRIBE_UPDATE (0x2): all terms of a subscription, never answered. Throws INTERNAL unless the range (as
 * `absoluteStart` or `absoluteRange`), priority and forwarding are all said.
 */
export const subscribeUpdate: MessageCodec<RequestUpdate> = {
  code: 0x02,
  type: 'requestUpdate',
  encode(writer, { requestId, existingRequestId, parameters }) {
    const { subscriptionFilter: filter, subscriberPriority, forward } = parameters;
    if (existingRequestId === undefined || subscriberPriority === undefined || forward === undefined)
      throw new StreamsError('INTERNAL', 'SUBSCRIBE_UPDATE that leaves something out');
    if (filter?.type !== 'absoluteStart' && filter?.type !== 'absoluteRange')
      throw new StreamsError('INTERNAL', 'SUBSCRIBE_UPDATE without a range');
    writer.varint(requestId).varint(existingRequestId).location(filter.start);
    // The end is one behind the last group; 0 is open.
    writer.varint(filter.type === 'absoluteRange' ? filter.endGroup + 1 : 0);
    writer.priority(subscriberPriority).u8(forward ? 1 : 0);
    writeRequestParameters(writer, parameters);
  },
  decode(reader) {
    const requestId = reader.varint();
    const existingRequestId = reader.varint();
    const start = reader.location();
    const end = reader.varint();
    if (end > 0 && end <= start.group) throw protocolViolation('the subscription would end before it starts');
    const subscriberPriority = reader.u8();
    const forward = readFlag(reader, 'Forward');
    const parameters = {
      subscriptionFilter:
        end === 0
          ? ({ type: 'absoluteStart', start } as const)
          : ({ type: 'absoluteRange', start, endGroup: end - 1 } as const),
      subscriberPriority,
      forward,
      ...requestParameters(readParameters(reader)),
    };
    return { type: 'requestUpdate', requestId, existingRequestId, parameters };
  },
};
