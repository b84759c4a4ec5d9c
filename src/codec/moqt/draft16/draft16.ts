import { ControlDecoder, encodeMessage, messageTable } from '../control/control-decoder.ts';
import { namespace } from '../control/namespace.ts';
import { namespaceDone } from '../control/namespace-done.ts';
import { encodeFetchHeader } from '../data/fetch-stream.ts';
import { encodeSubgroupHeader, isSubgroupType } from '../data/subgroup-header.ts';
import type { Dialect } from '../dialect.ts';
import { readTrackProperties } from '../fields/track-properties.ts';
import { quicVarints } from '../quic-varints.ts';
import { vi64 } from '../varint.ts';
import { resetCodes } from './error-codes.ts';
import { fetch } from './fetch.ts';
import { fetchCancel } from './fetch-cancel.ts';
import { fetchOk } from './fetch-ok.ts';
import { goaway } from './goaway.ts';
import { maxRequestId } from './max-request-id.ts';
import {
  Draft16FetchDecoder,
  Draft16FetchEncoder,
  Draft16SubgroupDecoder,
  decodeDatagram,
  encodeDatagram,
  encodeObject,
} from './objects.ts';
import { publish } from './publish.ts';
import { publishDone } from './publish-done.ts';
import { publishNamespace } from './publish-namespace.ts';
import { publishNamespaceCancel } from './publish-namespace-cancel.ts';
import { publishNamespaceDone } from './publish-namespace-done.ts';
import { publishOk } from './publish-ok.ts';
import { requestError } from './request-error.ts';
import { requestOk } from './request-ok.ts';
import { requestUpdate } from './request-update.ts';
import { requestsBlocked } from './requests-blocked.ts';
import { clientSetup, serverSetup } from './setup.ts';
import { subscribe } from './subscribe.ts';
import { subscribeNamespace, subscribeTracks } from './subscribe-namespace.ts';
import { subscribeOk } from './subscribe-ok.ts';
import { trackStatus } from './track-status.ts';
import { unsubscribe } from './unsubscribe.ts';

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
