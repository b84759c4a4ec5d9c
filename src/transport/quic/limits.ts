import type { NativeLimits } from './native-types.ts';

/** What either end of a connection may set; times in ms, sizes in bytes. */
export type QuicLimits = {
  /** Without any packet for this long the connection is gone. Default 30 000. */
  idleTimeoutMs?: number;
  /** A PING this often keeps it open; default none. */
  keepAliveMs?: number;
  /**
   * Streams the peer may have open at a time. Default 128 one-way and 96 two-way: quinn keeps a table entry for every
   * stream that is allowed, so 1024 and 256 would cost 50 KiB a connection, used or not.
   */
  maxIncomingUni?: number;
  maxIncomingBidi?: number;
  /** Unread bytes the peer may have under way, per stream (default 1 MiB) and per connection (default 8 MiB). */
  streamReceiveWindow?: number;
  connectionReceiveWindow?: number;
  /** Queued bytes at which a stream's `write` answers false. Default 1 MiB. */
  streamHighWaterBytes?: number;
};

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
  };
}
