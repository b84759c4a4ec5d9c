import type { TrackName } from '../model.ts';
import { protocolViolation } from '../moqt-error.ts';
import type { WireReader } from '../wire.ts';

/** draft-16 2.4.1: unlike later, a namespace has at least one field; only a prefix may have none. */
export function readNamespace(reader: WireReader): string[] {
  const namespace = reader.namespace();
  if (namespace.length === 0) throw protocolViolation('namespace without a field');
  return namespace;
}

export function readTrack(reader: WireReader): TrackName {
  const track = reader.track();
  if (track.namespace.length === 0) throw protocolViolation('namespace without a field');
  return track;
}
