import type { Server } from 'node:http';
import { LimitedWarnings } from '../../core/limited-warnings.ts';
import { attachQmux } from '../../transport/qmux/attach.ts';
import type { AcceptOptions } from './accept-connections.ts';
import { type AddressRateLimit, addressKey } from './rate-limit.ts';

/**
 * Every WebSocket upgrade on the HTTP server becomes a session over QMux: same paths, same tokens, same limits as on QUIC.
 * `rate` is the one of the QUIC port, so that an address cannot connect twice as often by using both.
 */
export function acceptWebSockets(server: Server, rate: AddressRateLimit, options: AcceptOptions): void {
  const { core, versions, limits, logger } = options;
  const warnings = new LimitedWarnings(logger);
  attachQmux(server, {
    protocols: versions,
    maxSessions: limits.maxSessions,
    limits: {
      idleTimeoutMs: limits.idleTimeoutMs,
      keepAliveMs: limits.keepAliveMs,
      handshakeTimeoutMs: limits.handshakeMs,
      streamHighWaterBytes: limits.streamBytes,
    },
    refuse(remoteAddress) {
      if (rate.take(addressKey(remoteAddress))) return undefined;
      warnings.warn('connection refused', { remoteAddress, reason: 'too many from this address' });
      return 'too many connections';
    },
    onTransport: (transport) => void core.serve(transport),
  });
}
