import type { LiteVersion } from '../../codec/moqt/lite/version.ts';
import type { Transport } from '../../transport/transport.ts';
import type { Members } from '../members.ts';
import type { SessionHandlers } from '../types.ts';

/** What the parts of one moq-lite session share. */
export type LiteContext = {
  readonly transport: Transport;
  readonly version: LiteVersion;
  /** Ours in hop lists; 0: none. */
  readonly hopId: bigint;
  /** True once requests may be handled; false when the session closed before. */
  readonly opened: Promise<boolean>;
  /** What has to hear of the end. */
  readonly live: Members;
  isOpen(): boolean;
  /** We sent GOAWAY: new requests are refused. */
  isDraining(): boolean;
  handlers(): SessionHandlers;
  /** A rule was broken: closes the session with the error's code. What only tells of a lost stream or session is ignored. */
  fail(error: unknown): void;
  /** Runs what has no caller that could hear of an error: whatever it throws, or rejects with, ends the session. */
  guard(run: () => unknown): void;
};
