import type { Dialect } from '../codec/moqt/dialect.ts';
import type { IncomingSubscribe } from '../session/types.ts';

/** A subscription request that its session is allowed to make. */
export type RoutedRequest = {
  readonly request: IncomingSubscribe;
  readonly dialect: Dialect;
  /** Called once, when it was rejected, cancelled, or its subscription ended. */
  readonly over: () => void;
};
