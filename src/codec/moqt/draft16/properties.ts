import { emptyBytes } from '../../../core/bytes.ts';
import { extensionHeaders } from '../data/extension-headers.ts';
import { type KeyValuePair, readKeyValuePairs, writeKeyValuePairs } from '../fields/key-value-pairs.ts';
import { propertyTypes } from '../fields/track-properties.ts';
import { protocolViolation } from '../moqt-error.ts';
import { vi64 } from '../varint.ts';
import { WireReader, WireWriter } from '../wire.ts';

const { fromExtensions, toExtensions, objectFromExtensions, objectToExtensions } = extensionHeaders('delta');

/** draft-16 2.5, 10.2.1.2 */
export { objectFromExtensions, objectToExtensions };

/** Later "no timeout"; a DELIVERY_TIMEOUT of draft-16 is above 0, or breaks the session. */
const isNoTimeout = ({ type, value }: KeyValuePair) => type === propertyTypes.objectDeliveryTimeout && value === 0n;

export function trackFromExtensions(bytes: Uint8Array): Uint8Array {
  const properties = fromExtensions(bytes);
  if (pairs(properties).some(isNoTimeout)) throw protocolViolation('DELIVERY_TIMEOUT 0');
  return properties;
}

export function trackToExtensions(properties: Uint8Array): Uint8Array {
  const own = pairs(properties);
  if (!own.some(isNoTimeout)) return toExtensions(properties);
  const writer = new WireWriter(vi64, properties.length);
  writeKeyValuePairs(
    writer,
    own.filter((pair) => !isNoTimeout(pair)),
  );
  return toExtensions(writer.finish());
}

function pairs(properties: Uint8Array): KeyValuePair[] {
  return properties === emptyBytes ? [] : readKeyValuePairs(new WireReader(properties, vi64));
}
