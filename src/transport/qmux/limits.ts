import { defaultMaxRecordBytes } from '../../codec/qmux/code-points.ts';
import type { QmuxParameters } from '../../codec/qmux/parameters.ts';

/** What either end of a connection may set; times in ms, sizes in bytes. The same words and defaults as QuicLimits. */
export type QmuxLimits = {
  /** Without a word of the peer for this long the connection is gone. Default 30 000. */
  idleTimeoutMs?: number;
  /** A ping when nothing came for this long; default a third of the idle timeout. */
  keepAliveMs?: number;
  /** The peer's transport parameters must be here by then. Default 10 000. */
  handshakeTimeoutMs?: number;
  /** Streams the peer may have open at a time. Default 1024 one-way and 256 two-way. */
  maxIncomingUni?: number;
  maxIncomingBidi?: number;
  /** Unread bytes the peer may have under way, per stream (default 1 MiB) and per connection (default 8 MiB). */
  streamReceiveWindow?: number;
  connectionReceiveWindow?: number;
  /** Queued bytes at which a stream's `write` answers false. Default 1 MiB. */
  streamHighWaterBytes?: number;
  /** Bytes the socket may hold; beyond that everything waits by priority. Default 64 KiB. */
  sendBufferBytes?: number;
};

const kibibyte = 1024;

export function qmuxLimits(limits: QmuxLimits): Required<QmuxLimits> {
  const idleTimeoutMs = limits.idleTimeoutMs ?? 30_000;
  return {
    idleTimeoutMs,
    keepAliveMs: limits.keepAliveMs ?? idleTimeoutMs / 3,
    handshakeTimeoutMs: limits.handshakeTimeoutMs ?? 10_000,
    maxIncomingUni: limits.maxIncomingUni ?? 1024,
    maxIncomingBidi: limits.maxIncomingBidi ?? 256,
    streamReceiveWindow: limits.streamReceiveWindow ?? 1024 * kibibyte,
    connectionReceiveWindow: limits.connectionReceiveWindow ?? 8 * 1024 * kibibyte,
    streamHighWaterBytes: limits.streamHighWaterBytes ?? 1024 * kibibyte,
    sendBufferBytes: limits.sendBufferBytes ?? 64 * kibibyte,
  };
}

export function parametersOf(limits: Required<QmuxLimits>): QmuxParameters {
  return {
    maxIdleTimeout: Math.ceil(limits.idleTimeoutMs),
    initialMaxData: limits.connectionReceiveWindow,
    initialMaxStreamDataBidiLocal: limits.streamReceiveWindow,
    initialMaxStreamDataBidiRemote: limits.streamReceiveWindow,
    initialMaxStreamDataUni: limits.streamReceiveWindow,
    initialMaxStreamsBidi: limits.maxIncomingBidi,
    initialMaxStreamsUni: limits.maxIncomingUni,
    maxDatagramFrameSize: defaultMaxRecordBytes,
    maxRecordSize: defaultMaxRecordBytes,
  };
}
