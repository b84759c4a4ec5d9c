import type { Setup } from '../control/setup.ts';
import type { MessageParameters } from '../fields/parameters.ts';

/**
 * What is said only where all requests share one control stream (draft-16 and before). `requestId`: the request it belongs to.
 * Sections are those of draft-16.
 */
export type SharedControlMessage =
  | ClientSetup
  | ServerSetup
  | MaxRequestId
  | RequestsBlocked
  | PublishOk
  | Unsubscribe
  | FetchCancel
  | PublishNamespaceDone
  | PublishNamespaceCancel
  | UnsubscribeNamespace;

/** What both setups say (9.3.1). `maxRequestId` absent is 0: the peer may ask nothing yet. */
export type SetupFields = Omit<Setup, 'type'> & { readonly maxRequestId?: number };

/** 9.3 CLIENT_SETUP (0x20). */
export type ClientSetup = SetupFields & { readonly type: 'clientSetup' };

/** 9.3 SERVER_SETUP (0x21). */
export type ServerSetup = SetupFields & { readonly type: 'serverSetup' };

/** 9.5 MAX_REQUEST_ID (0x15): request ids of the peer have to stay below. */
export type MaxRequestId = { readonly type: 'maxRequestId'; readonly max: number };

/** 9.6 REQUESTS_BLOCKED (0x1A): the sender would like to go on beyond `max`. */
export type RequestsBlocked = { readonly type: 'requestsBlocked'; readonly max: number };

/** 9.14 PUBLISH_OK (0x1E). */
export type PublishOk = {
  readonly type: 'publishOk';
  readonly requestId: number;
  readonly parameters: MessageParameters;
};

/** 9.12 UNSUBSCRIBE (0xA). */
export type Unsubscribe = { readonly type: 'unsubscribe'; readonly requestId: number };

/** 9.18 FETCH_CANCEL (0x17). */
export type FetchCancel = { readonly type: 'fetchCancel'; readonly requestId: number };

/** 9.22 PUBLISH_NAMESPACE_DONE (0x9): the publisher takes it back. */
export type PublishNamespaceDone = { readonly type: 'publishNamespaceDone' } & NamespaceOrId;

/** 9.24 PUBLISH_NAMESPACE_CANCEL (0xC): the subscriber wants no more of it. `code` is one of REQUEST_ERROR. */
export type PublishNamespaceCancel = NamespaceOrId & {
  readonly type: 'publishNamespaceCancel';
  readonly code: number;
  readonly reason: string;
};

/** Draft-16 names the request, draft-14 (9.26, 9.27) the namespace. Who sends says both. */
type NamespaceOrId = { readonly requestId?: number; readonly namespace?: readonly string[] };

/** draft-14 9.31 UNSUBSCRIBE_NAMESPACE (0x14); since draft-15 the stream of the request ends instead. */
export type UnsubscribeNamespace = { readonly type: 'unsubscribeNamespace'; readonly prefix: readonly string[] };
