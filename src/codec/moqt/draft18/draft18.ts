import { ControlDecoder, encodeMessage, messageTable } from '../control/control-decoder.ts';
import { fetch } from '../control/fetch.ts';
import { fetchOk } from '../control/fetch-ok.ts';
import { goaway } from '../control/goaway.ts';
import { namespace } from '../control/namespace.ts';
import { namespaceDone } from '../control/namespace-done.ts';
import { publish } from '../control/publish.ts';
import { publishBlocked } from '../control/publish-blocked.ts';
import { publishDone } from '../control/publish-done.ts';
import { publishNamespace } from '../control/publish-namespace.ts';
import { requestError } from '../control/request-error.ts';
import { requestOk } from '../control/request-ok.ts';
import { requestUpdate } from '../control/request-update.ts';
import { setup } from '../control/setup.ts';
import { subscribe } from '../control/subscribe.ts';
import { subscribeNamespace } from '../control/subscribe-namespace.ts';
import { subscribeOk } from '../control/subscribe-ok.ts';
import { subscribeTracks } from '../control/subscribe-tracks.ts';
import { trackStatus } from '../control/track-status.ts';
import { decodeDatagram, encodeDatagram, encodePaddingDatagram } from '../data/datagram.ts';
import { encodeFetchHeader, FetchDecoder, FetchEncoder } from '../data/fetch-stream.ts';
import { encodeObject, SubgroupDecoder } from '../data/object-stream.ts';
import { encodeSubgroupHeader, isSubgroupType } from '../data/subgroup-header.ts';
import type { Dialect } from '../dialect.ts';
import { readTrackProperties } from '../fields/track-properties.ts';
import { vi64 } from '../varint.ts';

/** draft-18 10, Table 5. */
export const draft18Messages = messageTable([
  setup,
  goaway,
  requestOk,
  requestError,
  subscribe,
  subscribeOk,
  requestUpdate,
  publish,
  publishDone,
  fetch,
  fetchOk,
  trackStatus,
  publishNamespace,
  namespace,
  namespaceDone,
  subscribeNamespace,
  subscribeTracks,
  publishBlocked,
  // PUBLISH_OK keeps its old code point in the table but has the body of REQUEST_OK (10.5); it is read, never written.
  { ...requestOk, code: 0x1e },
]);

/** draft-18 3.4 */
export const draft18StreamTypes = { fetch: 0x05, setup: setup.code, padding: 0x132b3e28 } as const;

export const draft18: Dialect = {
  version: 'moqt-18',
  requestStreams: 'perRequest',
  varints: vi64,
  encodeMessage: (message) => encodeMessage(draft18Messages, vi64, message),
  controlDecoder: () => new ControlDecoder(draft18Messages, vi64),
  streamKind(type) {
    if (type === draft18StreamTypes.setup) return 'control';
    if (type === draft18StreamTypes.fetch) return 'fetch';
    if (type === draft18StreamTypes.padding) return 'padding';
    return isSubgroupType(type) ? 'subgroup' : 'unknown';
  },
  encodeSubgroupHeader: (header) => encodeSubgroupHeader(vi64, header),
  encodeObject: (previous, object, withProperties) => encodeObject(vi64, previous, object, withProperties),
  subgroupDecoder: (options) => new SubgroupDecoder(vi64, options),
  encodeFetchHeader: (requestId) => encodeFetchHeader(vi64, requestId),
  fetchEncoder: (order) => new FetchEncoder(vi64, order),
  fetchDecoder: (order, options) => new FetchDecoder(vi64, order, options),
  encodeDatagram: (datagram) => encodeDatagram(vi64, datagram),
  encodePaddingDatagram: (paddingBytes) => encodePaddingDatagram(vi64, paddingBytes),
  decodeDatagram: (bytes) => decodeDatagram(vi64, bytes),
  readTrackProperties: (bytes) => readTrackProperties(vi64, bytes),
};
