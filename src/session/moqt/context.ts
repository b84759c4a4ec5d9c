import type { Dialect } from '../../codec/moqt/dialect.ts';
import type { Transport } from '../../transport/transport.ts';
import type { Members } from '../members.ts';
import type { SessionHandlers } from '../types.ts';
import type { AuthTokens } from './auth-tokens.ts';
import type { ControlChannel } from './control-channel.ts';
import type { RequestIds } from './request-ids.ts';

/** What the parts of one session share. */
export type SessionContext = {
  readonly transport: Transport;
  readonly dialect: Dialect;
  readonly requestIds: RequestIds;
  readonly authTokens: AuthTokens;
  readonly channel: ControlChannel;
  /** True once requests may be handled; false when the session closed before. */
  readonly opened: Promise<boolean>;
  /** Requests and subscriptions that have to hear of the end. */
  readonly live: Members;
  isOpen(): boolean;
  /** Both ends declared a hop id: announcements carry the relays they passed. */
  carriesHops(): boolean;
  /** Ours in hop lists; 0: none. */
  readonly hopId: bigint;
  /** Updates of ours that may wait for an answer on one request (draft-19 10.3.1.7); 0: any number. */
  maxUpdates(): number;
  /** Ranges that the peer takes in the filters of one request (draft-19 10.3.1.6); 0: it takes no filters. */
  maxFilterRanges(): number;
  /** We sent GOAWAY: new requests are refused. */
  isDraining(): boolean;
  handlers(): SessionHandlers;
  /** A rule was broken: closes the session with the error's code. What only tells of a lost stream or session is ignored. */
  fail(error: unknown): void;
  /** Runs what has no caller that could hear of an error: whatever it throws, or rejects with, ends the session. */
  guard(run: () => unknown): void;
};

export type { SessionMember } from '../members.ts';
