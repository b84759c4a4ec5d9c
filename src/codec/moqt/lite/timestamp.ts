import { emptyBytes } from '../../../core/bytes.ts';
import { StreamsError } from '../../../core/errors.ts';
import type { KeyValuePair } from '../fields/key-value-pairs.ts';
import { readKeyValuePairs, writeKeyValuePairs } from '../fields/key-value-pairs.ts';
import { propertyTypes } from '../fields/track-properties.ts';
import { vi64 } from '../varint.ts';
import { WireReader, WireWriter } from '../wire.ts';
import type { TrackInfo } from './track.ts';

/**
 * Frames of moq-lite-05 have a presentation time, and their track its unit. Beyond this protocol both travel as the properties
 * TIMESTAMP and TIMESCALE (draft-lcurley-moq-timestamp; the code points are LOC's), so that they get through a relay.
 */
const timestampType = 0x10;
const timescaleType = 0x08;

export const defaultTrackInfo: TrackInfo = { priority: 127, ordered: true, maxLatencyMs: 10_000, timescale: 1000 };

/** Object properties that say it. */
export function timestampProperty(timestamp: bigint): Uint8Array {
  const writer = new WireWriter(vi64, 12).varint(timestampType);
  return writer.varint(timestamp).finish();
}

/** undefined: they do not say it, or are nothing that we can read. */
export function timestampOf(properties: Uint8Array | undefined): bigint | undefined {
  if (properties === undefined || properties.length === 0) return undefined;
  if (properties[0] === timestampType) return tried(() => new WireReader(properties.subarray(1), vi64).varintBig());
  return integerOf(pairsOf(properties), timestampType);
}

/** The track properties that say the same. */
export function trackPropertiesOf({ priority, ordered, maxLatencyMs, timescale }: TrackInfo): Uint8Array {
  const pairs: KeyValuePair[] = [
    { type: propertyTypes.maxCacheDuration, value: BigInt(maxLatencyMs) },
    { type: timescaleType, value: BigInt(timescale) },
    { type: propertyTypes.defaultPublisherPriority, value: BigInt(255 - priority) },
    { type: propertyTypes.defaultPublisherGroupOrder, value: ordered ? 1n : 2n },
  ];
  const writer = new WireWriter(vi64);
  writeKeyValuePairs(writer, pairs);
  return writer.finish();
}

/** What is not said there is as in `defaultTrackInfo`. */
export function trackInfoOf(trackProperties: Uint8Array = emptyBytes): TrackInfo {
  const pairs = pairsOf(trackProperties);
  const number = (type: number, max: number): number | undefined => {
    const value = integerOf(pairs, type);
    return value === undefined || value > BigInt(max) ? undefined : Number(value);
  };
  const priority = number(propertyTypes.defaultPublisherPriority, 255);
  return {
    priority: priority === undefined ? defaultTrackInfo.priority : 255 - priority,
    ordered: number(propertyTypes.defaultPublisherGroupOrder, 2) !== 2,
    maxLatencyMs: number(propertyTypes.maxCacheDuration, Number.MAX_SAFE_INTEGER) ?? defaultTrackInfo.maxLatencyMs,
    timescale: number(timescaleType, Number.MAX_SAFE_INTEGER) || defaultTrackInfo.timescale,
  };
}

function pairsOf(properties: Uint8Array): readonly KeyValuePair[] {
  return tried(() => readKeyValuePairs(new WireReader(properties, vi64))) ?? [];
}

function integerOf(pairs: readonly KeyValuePair[], type: number): bigint | undefined {
  const value = pairs.find((pair) => pair.type === type)?.value;
  return typeof value === 'bigint' ? value : undefined;
}

/** Properties are for those who understand them: what breaks their form is not an error here. */
function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof StreamsError) return undefined;
    throw error;
  }
}
