import type { MessageCodec } from '../control/message-codec.ts';
import type { RequestOk } from '../control/request-ok.ts';
import type { SubscribeOk } from '../control/subscribe-ok.ts';
import { requestIdOf } from '../draft16/request-id-of.ts';
import type { WireReader, WireWriter } from '../wire.ts';
import { orderOf, readLargest, readOrder, writeLargest, writeOrder } from './fields.ts';
import { readParameters, trackProperties, writeTrackParameters } from './parameters.ts';

type Either = SubscribeOk | RequestOk;

function write(writer: WireWriter, message: Either, trackAlias: number): void {
  const { parameters, trackProperties: properties } = message;
  writer
    .varint(requestIdOf(message))
    .varint(trackAlias)
    .varint(parameters.expiresMs ?? 0);
  writeOrder(writer, orderOf(properties));
  writeLargest(writer, parameters.largestObject);
  writeTrackParameters(writer, properties);
}

function read(reader: WireReader): Omit<SubscribeOk, 'type'> & { requestId: number } {
  const requestId = reader.varint();
  const trackAlias = reader.varint();
  const expiresMs = reader.bounded();
  const order = readOrder(reader);
  const largest = readLargest(reader);
  // An expiry of 0 is none, or not known.
  const parameters = { ...(expiresMs > 0 && { expiresMs }), ...largest };
  return { requestId, trackAlias, parameters, trackProperties: trackProperties(readParameters(reader), order) };
}

/** draft-14 9.8 SUBSCRIBE_OK (0x4). Of the track's properties the order, the timeout and the cache duration are told. */
export const subscribeOk: MessageCodec<SubscribeOk> = {
  code: 0x04,
  type: 'subscribeOk',
  encode: (writer, message) => write(writer, message, message.trackAlias),
  decode: (reader) => ({ type: 'subscribeOk', ...read(reader) }),
};

/** draft-14 9.21 TRACK_STATUS_OK (0xE): the fields of SUBSCRIBE_OK, with alias 0. */
export const trackStatusOk: MessageCodec<RequestOk> = {
  code: 0x0e,
  type: 'requestOk',
  encode: (writer, message) => write(writer, message, 0),
  decode(reader) {
    const { trackAlias: _, ...fields } = read(reader);
    return { type: 'requestOk', request: 'trackStatus', ...fields };
  },
};
