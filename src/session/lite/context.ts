import type { LiteVersion } from '../../codec/moqt/lite/version.ts';
import type { Transport } from '../../transport/transport.ts';
import type { SessionMember } from '../context.ts';
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
  readonly live: Set<SessionMember>;
  isOpen(): boolean;
  /** We sent GOAWAY: new requests are refused. */
  isDraining(): boolean;
  handlers(): SessionHandlers;
  /** A rule was broken: closes the session with the error's code. What only tells of a lost stream or session is ignored. */
  fail(error: unknown): void;
};
