import { ControlDecoder, encodeMessage, type MessageTable, messageTable } from '../control/control-decoder.ts';
import { encodeFetchHeader } from '../data/fetch-stream.ts';
import { encodeSubgroupHeader, isSubgroupType } from '../data/subgroup-header.ts';
import type { Dialect } from '../dialect.ts';
import { fetchCancel } from '../draft16/fetch-cancel.ts';
import { goaway } from '../draft16/goaway.ts';
import { maxRequestId } from '../draft16/max-request-id.ts';
import { requestsBlocked } from '../draft16/requests-blocked.ts';
import { unsubscribe } from '../draft16/unsubscribe.ts';
import { readTrackProperties } from '../fields/track-properties.ts';
import type { Message, Request } from '../message.ts';
import { quicVarints } from '../quic-varints.ts';
import { vi64 } from '../varint.ts';
import * as answers from './answers.ts';
import { resetCodes } from './error-codes.ts';
import { fetch } from './fetch.ts';
import { fetchOk } from './fetch-ok.ts';
import { Draft14FetchDecoder, Draft14FetchEncoder } from './fetch-stream.ts';
import {
  publishNamespace,
  publishNamespaceCancel,
  publishNamespaceDone,
  subscribeNamespace,
  unsubscribeNamespace,
} from './namespaces.ts';
import { Draft14SubgroupDecoder, decodeDatagram, defaultPriority, encodeDatagram, encodeObject } from './objects.ts';
import { publish } from './publish.ts';
import { publishDone } from './publish-done.ts';
import { publishOk } from './publish-ok.ts';
import { clientSetup, serverSetup } from './setup.ts';
import { subscribe, trackStatus } from './subscribe.ts';
import { subscribeOk, trackStatusOk } from './subscribe-ok.ts';
import { subscribeUpdate } from './subscribe-update.ts';

const answerCodecs = [
  answers.publishNamespaceOk,
  answers.subscribeNamespaceOk,
  trackStatusOk,
  answers.subscribeError,
  answers.publishError,
  answers.fetchError,
  answers.trackStatusError,
  answers.publishNamespaceError,
  answers.subscribeNamespaceError,
];

const otherMessages = messageTable([
  clientSetup,
  serverSetup,
  goaway,
  maxRequestId,
  requestsBlocked,
  subscribe,
  subscribeOk,
  subscribeUpdate,
  unsubscribe,
  publish,
  publishOk,
  publishDone,
  fetch,
  fetchOk,
  fetchCancel,
  trackStatus,
  publishNamespace,
  publishNamespaceDone,
  publishNamespaceCancel,
  subscribeNamespace,
  unsubscribeNamespace,
]);

/** draft-14 9. */
export const draft14Messages: MessageTable = new Map([...otherMessages, ...messageTable(answerCodecs)]);

const trackMessages = messageTable([{ ...subscribeNamespace, type: 'subscribeTracks' }]);

/** Answers have a code point for each kind of request. */
const yes: Partial<Record<Request['type'], MessageTable>> = {
  publishNamespace: messageTable([answers.publishNamespaceOk]),
  subscribeNamespace: messageTable([answers.subscribeNamespaceOk]),
  trackStatus: messageTable([trackStatusOk]),
};
const no: Partial<Record<Request['type'], MessageTable>> = {
  subscribe: messageTable([answers.subscribeError]),
  publish: messageTable([answers.publishError]),
  fetch: messageTable([answers.fetchError]),
  trackStatus: messageTable([answers.trackStatusError]),
  publishNamespace: messageTable([answers.publishNamespaceError]),
  subscribeNamespace: messageTable([answers.subscribeNamespaceError]),
};

function tableFor(message: Message): MessageTable {
  if (message.type === 'subscribeTracks') return trackMessages;
  if (message.type !== 'requestOk' && message.type !== 'requestError') return otherMessages;
  const table = message.type === 'requestOk' ? yes : no;
  return (message.request && table[message.request]) ?? otherMessages;
}

/** In draft-14 a session begins with the list of versions: `moq-00` and WebTransport without a subprotocol say none. */
export const draft14: Dialect = {
  version: 'moqt-14',
  protocol: 'moq-00',
  requestStreams: 'one',
  varints: quicVarints,
  encodeMessage: (message) => encodeMessage(tableFor(message), quicVarints, message),
  controlDecoder: () => new ControlDecoder(draft14Messages, quicVarints),
  // draft-14 10: neither a default priority nor a first object mark.
  streamKind: (type) => (type === 0x05 ? 'fetch' : type < 0x20 && isSubgroupType(type) ? 'subgroup' : 'unknown'),
  encodeSubgroupHeader: (header) =>
    encodeSubgroupHeader(quicVarints, {
      ...header,
      firstObject: false,
      priority: header.priority ?? defaultPriority,
    }),
  encodeObject,
  subgroupDecoder: (options) => new Draft14SubgroupDecoder(options),
  resetCodes,
  encodeFetchHeader: (requestId) => encodeFetchHeader(quicVarints, requestId),
  fetchEncoder: () => new Draft14FetchEncoder(),
  fetchDecoder: (_order, options) => new Draft14FetchDecoder(options),
  encodeDatagram,
  decodeDatagram,
  // They are in the form of draft-18 once decoded; nothing is mandatory to understand yet.
  readTrackProperties: (bytes) => ({ ...readTrackProperties(vi64, bytes), mandatory: undefined }),
};
