import { namespace } from './control/namespace.ts';
import { namespaceDone } from './control/namespace-done.ts';
import { ControlDecoder, encodeMessage, messageTable } from './control-decoder.ts';
import type { Dialect } from './dialect.ts';
import { resetCodes } from './draft16/error-codes.ts';
import { fetch } from './draft16/fetch.ts';
import { fetchCancel } from './draft16/fetch-cancel.ts';
import { fetchOk } from './draft16/fetch-ok.ts';
import { goaway } from './draft16/goaway.ts';
import { maxRequestId } from './draft16/max-request-id.ts';
import {
  Draft16FetchDecoder,
  Draft16FetchEncoder,
  Draft16SubgroupDecoder,
  decodeDatagram,
  encodeDatagram,
  encodeObject,
} from './draft16/objects.ts';
import { publish } from './draft16/publish.ts';
import { publishDone } from './draft16/publish-done.ts';
import { publishNamespace } from './draft16/publish-namespace.ts';
import { publishNamespaceCancel } from './draft16/publish-namespace-cancel.ts';
import { publishNamespaceDone } from './draft16/publish-namespace-done.ts';
import { publishOk } from './draft16/publish-ok.ts';
import { requestError } from './draft16/request-error.ts';
import { requestOk } from './draft16/request-ok.ts';
import { requestUpdate } from './draft16/request-update.ts';
import { requestsBlocked } from './draft16/requests-blocked.ts';
import { clientSetup, serverSetup } from './draft16/setup.ts';
import { subscribe } from './draft16/subscribe.ts';
import { subscribeNamespace, subscribeTracks } from './draft16/subscribe-namespace.ts';
import { subscribeOk } from './draft16/subscribe-ok.ts';
import { trackStatus } from './draft16/track-status.ts';
import { unsubscribe } from './draft16/unsubscribe.ts';
import { encodeFetchHeader } from './fetch-stream.ts';
import { quicVarints } from './quic-varints.ts';
import { encodeSubgroupHeader, isSubgroupType } from './subgroup-header.ts';
import { readTrackProperties } from './track-properties.ts';
import { vi64 } from './varint.ts';

/** draft-16 9. */
export const draft16Messages = messageTable([
  clientSetup,
  serverSetup,
  goaway,
  maxRequestId,
  requestsBlocked,
  requestOk,
  requestError,
  subscribe,
  subscribeOk,
  requestUpdate,
  unsubscribe,
  publish,
  publishOk,
  publishDone,
  fetch,
  fetchOk,
  fetchCancel,
  trackStatus,
  publishNamespace,
  namespace,
  publishNamespaceDone,
  namespaceDone,
  publishNamespaceCancel,
  subscribeNamespace,
]);

const trackMessages = messageTable([subscribeTracks]);

export const draft16: Dialect = {
  version: 'moqt-16',
  requestStreams: 'shared',
  varints: quicVarints,
  encodeMessage: (message) =>
    encodeMessage(message.type === 'subscribeTracks' ? trackMessages : draft16Messages, quicVarints, message),
  controlDecoder: () => new ControlDecoder(draft16Messages, quicVarints),
  // draft-16 10: bit 6 of a subgroup's type, the first object mark of draft-18, is no type yet.
  streamKind: (type) => (type === 0x05 ? 'fetch' : type < 0x40 && isSubgroupType(type) ? 'subgroup' : 'unknown'),
  encodeSubgroupHeader: (header) => encodeSubgroupHeader(quicVarints, { ...header, firstObject: false }),
  encodeObject,
  subgroupDecoder: (options) => new Draft16SubgroupDecoder(options),
  resetCodes,
  encodeFetchHeader: (requestId) => encodeFetchHeader(quicVarints, requestId),
  fetchEncoder: (order) => new Draft16FetchEncoder(order),
  fetchDecoder: (order, options) => new Draft16FetchDecoder(order, options),
  encodeDatagram,
  decodeDatagram,
  // They are in the form of draft-18 once decoded; nothing is mandatory to understand yet.
  readTrackProperties: (bytes) => ({ ...readTrackProperties(vi64, bytes), mandatory: undefined }),
};
