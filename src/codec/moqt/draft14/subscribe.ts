import type { MessageCodec } from '../control/message-codec.ts';
import type { Subscribe } from '../control/subscribe.ts';
import type { TrackStatus } from '../control/track-status.ts';
import { readTrack } from '../draft16/track.ts';
import { writeFilter } from '../fields/filter.ts';
import type { WireReader, WireWriter } from '../wire.ts';
import { readFlag, readSubscriptionFilter, readWantedOrder, writeOrder } from './fields.ts';
import { readParameters, requestParameters, writeRequestParameters } from './parameters.ts';

type Either = Subscribe | TrackStatus;

function write(writer: WireWriter, { requestId, track, parameters }: Either): void {
  const { subscriberPriority = 128, groupOrder, forward = true } = parameters;
  writer.varint(requestId).track(track).priority(subscriberPriority);
  writeOrder(writer, groupOrder);
  writer.u8(forward ? 1 : 0);
  writeFilter(writer, parameters.subscriptionFilter ?? { type: 'unfiltered' }, 'absolute');
  writeRequestParameters(writer, parameters);
}

function read(reader: WireReader): Omit<Subscribe, 'type'> {
  const requestId = reader.varint();
  const track = readTrack(reader);
  const subscriberPriority = reader.u8();
  const groupOrder = readWantedOrder(reader);
  const forward = readFlag(reader, 'Forward');
  const subscriptionFilter = readSubscriptionFilter(reader);
  const parameters = {
    subscriberPriority,
    ...(groupOrder !== undefined && { groupOrder }),
    forward,
    subscriptionFilter,
    ...requestParameters(readParameters(reader)),
  };
  return { requestId, track, parameters };
}

/** draft-14 9.7 SUBSCRIBE (0x3). What is not said has its default in words; an unfiltered one begins at {0, 0}. */
export const subscribe: MessageCodec<Subscribe> = {
  code: 0x03,
  type: 'subscribe',
  encode: write,
  decode: (reader) => ({ type: 'subscribe', ...read(reader) }),
};

/** draft-14 9.20 TRACK_STATUS (0xD): the fields of SUBSCRIBE. */
export const trackStatus: MessageCodec<TrackStatus> = {
  code: 0x0d,
  type: 'trackStatus',
  encode: write,
  decode: (reader) => ({ type: 'trackStatus', ...read(reader) }),
};
