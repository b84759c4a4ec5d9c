import type { Fetch } from './control/fetch.ts';
import type { FetchOk } from './control/fetch-ok.ts';
import type { Goaway } from './control/goaway.ts';
import type { Namespace } from './control/namespace.ts';
import type { NamespaceDone } from './control/namespace-done.ts';
import type { Publish } from './control/publish.ts';
import type { PublishBlocked } from './control/publish-blocked.ts';
import type { PublishDone } from './control/publish-done.ts';
import type { PublishNamespace } from './control/publish-namespace.ts';
import type { RequestErrorMessage } from './control/request-error.ts';
import type { RequestOk } from './control/request-ok.ts';
import type { RequestUpdate } from './control/request-update.ts';
import type { Setup } from './control/setup.ts';
import type { Subscribe } from './control/subscribe.ts';
import type { SubscribeNamespace } from './control/subscribe-namespace.ts';
import type { SubscribeOk } from './control/subscribe-ok.ts';
import type { SubscribeTracks } from './control/subscribe-tracks.ts';
import type { TrackStatus } from './control/track-status.ts';
import type { SharedControlMessage } from './draft16/shared-control-message.ts';
import type { PublishStateNotify } from './draft20/publish-state-notify.ts';

/** What opens a request (draft-18 3.3). */
export type Request =
  | Subscribe
  | Publish
  | Fetch
  | TrackStatus
  | PublishNamespace
  | SubscribeNamespace
  | SubscribeTracks;

/** Every control message, told apart by `type`. */
export type Message =
  | Request
  | Setup
  | Goaway
  | RequestOk
  | RequestErrorMessage
  | SubscribeOk
  | RequestUpdate
  | PublishDone
  | FetchOk
  | Namespace
  | NamespaceDone
  | PublishBlocked
  | PublishStateNotify
  | SharedControlMessage;

const requestTypes: ReadonlySet<string> = new Set<Request['type']>([
  'subscribe',
  'publish',
  'fetch',
  'trackStatus',
  'publishNamespace',
  'subscribeNamespace',
  'subscribeTracks',
]);

export function isRequest(message: Message): message is Request {
  return requestTypes.has(message.type);
}
