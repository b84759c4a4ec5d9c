import type { IncomingSubscribe } from '../../session/types.ts';
import type { Peer } from '../upstream/route.ts';
import type { ViewerSession } from '../viewer/viewer-session.ts';

/** A subscription request that its session is allowed to make. */
export type RoutedRequest = {
  readonly request: IncomingSubscribe;
  readonly session: ViewerSession;
  /** Who asks: what comes from there is not sent back. */
  readonly peer?: Peer;
  /** Called once, when it was rejected, cancelled, or its subscription ended. */
  readonly over: () => void;
};
