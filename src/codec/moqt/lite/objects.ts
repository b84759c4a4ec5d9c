import type { ObjectDialect } from '../dialect.ts';
import { readTrackProperties } from '../fields/track-properties.ts';
import { vi64 } from '../varint.ts';
import { encodeDatagramTail } from './datagram.ts';
import { encodeFrame } from './frames.ts';
import { hasTrackInfo, type LiteVersion } from './version.ts';

/**
 * Objects as moq-lite has them. A datagram is without its subscribe id, which `Publication.sendDatagramBytes` puts in front.
 * Track properties are as above the codec.
 */
function objectsOf(version: LiteVersion): ObjectDialect {
  return {
    version,
    encodeObject: (previousId, object, _, previousProperties) =>
      encodeFrame(version, previousId, object, previousProperties),
    encodeDatagram: (datagram) => (hasTrackInfo(version) ? encodeDatagramTail(datagram) : undefined),
    readTrackProperties: (bytes) => readTrackProperties(vi64, bytes),
  };
}

/** One object per version: a relay tells by it who takes the same bytes. */
export const liteObjects: Readonly<Record<LiteVersion, ObjectDialect>> = {
  'moq-lite-04': objectsOf('moq-lite-04'),
  'moq-lite-05': objectsOf('moq-lite-05'),
};
