import { emptyBytes } from '../../../core/bytes.ts';
import { type KeyValuePair, readKeyValuePairs, writeKeyValuePairs } from '../fields/key-value-pairs.ts';
import type { MessageParameters } from '../fields/parameters.ts';
import { propertyTypes } from '../fields/track-properties.ts';
import type { GroupOrder } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import { vi64 } from '../varint.ts';
import { boundedInteger, WireReader, WireWriter } from '../wire.ts';

/** draft-14 9.2.1. The rest of what later became parameters are fields of the messages. */
const types = { deliveryTimeout: 0x02, authorizationToken: 0x03, maxCacheDuration: 0x04 } as const;

/** Of one message: who asks says how long to try, who answers or offers says so of the track, which later became its properties. */
type Draft14Parameters = {
  readonly deliveryTimeoutMs?: number;
  readonly authorizationTokens?: readonly Uint8Array[];
  readonly maxCacheDurationMs?: number;
};

/** Unknown ones are ignored, and may repeat; so are those out of place, by whoever asked for them. */
export function readParameters(reader: WireReader): Draft14Parameters {
  const parameters: { -readonly [K in keyof Draft14Parameters]: Draft14Parameters[K] } = {};
  const integer = (name: 'deliveryTimeoutMs' | 'maxCacheDurationMs', value: bigint | Uint8Array): void => {
    if (parameters[name] !== undefined) throw protocolViolation(`parameter ${name} twice`);
    parameters[name] = boundedInteger(value as bigint);
  };
  const count = reader.varint();
  for (const { type, value } of readKeyValuePairs(reader, count, 'absolute')) {
    if (type === types.deliveryTimeout) integer('deliveryTimeoutMs', value);
    else if (type === types.maxCacheDuration) integer('maxCacheDurationMs', value);
    else if (type === types.authorizationToken) {
      parameters.authorizationTokens = [...(parameters.authorizationTokens ?? []), value as Uint8Array];
    }
  }
  return parameters;
}

/** What who asks may say. */
export function requestParameters({ deliveryTimeoutMs, authorizationTokens }: Draft14Parameters): MessageParameters {
  return {
    ...(deliveryTimeoutMs !== undefined && { objectDeliveryTimeoutMs: deliveryTimeoutMs }),
    ...(authorizationTokens !== undefined && { authorizationTokens }),
  };
}

/** A timeout of 0 is none, and goes without saying. */
export function writeRequestParameters(writer: WireWriter, parameters: MessageParameters): void {
  const { objectDeliveryTimeoutMs: timeout = 0, authorizationTokens = [] } = parameters;
  write(writer, [
    ...(timeout > 0 ? [{ type: types.deliveryTimeout, value: BigInt(timeout) }] : []),
    ...authorizationTokens.map((value) => ({ type: types.authorizationToken, value })),
  ]);
}

/** Only the tokens: of requests that no objects are delivered for. */
export function writeTokens(writer: WireWriter, { authorizationTokens = [] }: MessageParameters): void {
  write(
    writer,
    authorizationTokens.map((value) => ({ type: types.authorizationToken, value })),
  );
}

/** Track properties in the form of draft-18. */
export function trackProperties(
  { deliveryTimeoutMs, maxCacheDurationMs }: Draft14Parameters,
  order: GroupOrder,
): Uint8Array {
  const pairs: KeyValuePair[] = [];
  const add = (type: number, value: number | undefined) => {
    if (value !== undefined) pairs.push({ type, value: BigInt(value) });
  };
  add(propertyTypes.objectDeliveryTimeout, deliveryTimeoutMs);
  add(propertyTypes.maxCacheDuration, maxCacheDurationMs);
  if (order === 'descending') add(propertyTypes.defaultPublisherGroupOrder, 2);
  if (pairs.length === 0) return emptyBytes;
  const writer = new WireWriter(vi64);
  writeKeyValuePairs(writer, pairs);
  return writer.finish();
}

/** Of the properties of a track, those that draft-14 has a parameter for. */
export function writeTrackParameters(
  writer: WireWriter,
  properties: Uint8Array,
  authorizationTokens: readonly Uint8Array[] = [],
): void {
  const kept = readKeyValuePairs(new WireReader(properties, vi64)).filter(
    ({ type, value }) =>
      (type === propertyTypes.objectDeliveryTimeout && value !== 0n) || type === propertyTypes.maxCacheDuration,
  );
  // Both have the same type as the parameter.
  write(writer, [...kept, ...authorizationTokens.map((value) => ({ type: types.authorizationToken, value }))]);
}

function write(writer: WireWriter, pairs: readonly KeyValuePair[]): void {
  writer.varint(pairs.length);
  writeKeyValuePairs(writer, pairs, 'absolute');
}
