import type { CongestionControl, NativeLimits } from './native-types.ts';

/** What either end of a connection may set; times in ms, sizes in bytes. */
export type QuicLimits = {
  /** Without any packet for this long the connection is gone. Default 30 000. */
  idleTimeoutMs?: number;
  /** A PING this often keeps it open; default none. */
  keepAliveMs?: number;
  /**
   * Streams the peer may have open at a time, default 128 one-way and 96 two-way. An accepted connection begins with
   * `firstStreams`: quinn keeps a table entry for every stream that is allowed, used or not.
   */
  maxIncomingUni?: number;
  maxIncomingBidi?: number;
  /** Unread bytes the peer may have under way, per stream (default 1 MiB) and per connection (default 8 MiB). */
  streamReceiveWindow?: number;
  connectionReceiveWindow?: number;
  /** Queued bytes at which a stream's `write` answers false. Default 1 MiB. */
  streamHighWaterBytes?: number;
  /** Default `cubic`. */
  congestionControl?: CongestionControl;
};

/** Of each kind, at first; and when the peer has opened so many in all, it is allowed the rest. A viewer opens four of each. */
export const firstStreams = 16;
export const raiseAt = 12;

const mebibyte = 1024 * 1024;

export function nativeLimits(limits: QuicLimits): NativeLimits {
  return {
    idleTimeoutMs: limits.idleTimeoutMs ?? 30_000,
    keepAliveMs: limits.keepAliveMs ?? 0,
    maxIncomingUni: limits.maxIncomingUni ?? 128,
    maxIncomingBidi: limits.maxIncomingBidi ?? 96,
    streamReceiveWindow: limits.streamReceiveWindow ?? mebibyte,
    connectionReceiveWindow: limits.connectionReceiveWindow ?? 8 * mebibyte,
    streamHighWaterBytes: limits.streamHighWaterBytes ?? mebibyte,
    congestionControl: limits.congestionControl ?? 'cubic',
  };
}
