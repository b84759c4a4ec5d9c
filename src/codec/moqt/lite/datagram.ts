import { concat } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { ObjectDatagram } from '../data/datagram.ts';
import { MoqtError } from '../moqt-error.ts';
import { quicVarints } from '../quic-varints.ts';
import { WireReader, WireWriter } from '../wire.ts';
import { timestampOf, timestampProperty } from './timestamp.ts';

/** draft-lcurley-moq-lite-05, Datagrams: larger ones are not sent, and dropped when they come. */
export const maxDatagramBytes = 1200;

/** A group that is one frame. In `subscribeId` the relay's side has what tells the subscription. */
export type LiteDatagram = {
  readonly subscribeId: number;
  readonly groupId: number;
  readonly timestamp: bigint;
  readonly payload: Uint8Array;
};

/** All behind the subscribe id, which is another for every subscriber; undefined: it is not the first object of its group. */
export function encodeDatagramTail({ groupId, object }: Omit<ObjectDatagram, 'trackAlias'>): Uint8Array | undefined {
  if (object.objectId !== 0 || object.status !== 'normal') return undefined;
  const timestamp = timestampOf(object.properties) ?? 0n;
  const head = new WireWriter(quicVarints, 16).varint(groupId).varint(timestamp > maxVarint ? 0n : timestamp);
  return concat([head.finish(), object.payload]);
}

/** undefined: it is too large. */
export function withSubscribeId(subscribeId: number, tail: Uint8Array): Uint8Array | undefined {
  const datagram = new WireWriter(quicVarints, tail.length + 8).varint(subscribeId).bytes(tail).finish();
  return datagram.length > maxDatagramBytes ? undefined : datagram;
}

/** undefined: to be dropped silently, being too large or cut off. */
export function decodeDatagram(bytes: Uint8Array): LiteDatagram | undefined {
  if (bytes.length > maxDatagramBytes) return undefined;
  const reader = new WireReader(bytes, quicVarints);
  try {
    const [subscribeId, groupId, timestamp] = [reader.varint(), reader.varint(), reader.varintBig()];
    return { subscribeId, groupId, timestamp, payload: reader.rest() };
  } catch (error) {
    if (error instanceof MoqtError || (error instanceof StreamsError && error.code === 'MALFORMED')) return undefined;
    throw error;
  }
}

/** Its only object. */
export function objectOf({ timestamp, payload }: LiteDatagram) {
  return { objectId: 0, status: 'normal', properties: timestampProperty(timestamp), payload } as const;
}

const maxVarint = (1n << 62n) - 1n;
