import { inBandProtocol } from '../../codec/moqt/dialects.ts';
import { toStreamsError } from '../../core/errors.ts';
import { LimitedWarnings } from '../../core/limited-warnings.ts';
import type { Logger } from '../../core/log.ts';
import type { Listener, Transport } from '../../transport/transport.ts';
import { acceptWebTransport } from '../../transport/webtransport/accept.ts';
import type { RelayLimits } from '../limits.ts';
import type { RelayCore } from '../relay.ts';
import { AddressRateLimit, addressKey } from './rate-limit.ts';

export type AcceptOptions = {
  readonly core: RelayCore;
  /** ALPN and subprotocols that we speak. */
  readonly versions: readonly string[];
  readonly limits: RelayLimits;
  readonly logger: Logger;
  /** Shared with other doors of the relay; default its own. */
  readonly rate?: AddressRateLimit;
  /** Filled with those that carry a session, or did: over WebTransport they last until the peer has heard of its end. */
  readonly connections?: Set<Transport>;
};

export function connectionRate(limits: RelayLimits): AddressRateLimit {
  return new AddressRateLimit({ burst: limits.connectBurst, perSecond: limits.connectsPerSecond });
}

/** RFC 9114 8.1 H3_EXCESSIVE_LOAD. On raw MoQT it is as good as any: the draft has no code for it. */
const excessiveLoad = 0x107;
/** H3_INTERNAL_ERROR. */
const internalError = 0x102;

/** Serves what the listener accepts, until it is closed. */
export async function acceptConnections(listener: Listener, options: AcceptOptions): Promise<void> {
  const { core, limits, logger } = options;
  const rate = options.rate ?? connectionRate(limits);
  const warnings = new LimitedWarnings(logger);
  for (let base = await listener.accept(); base !== null; base = await listener.accept()) {
    if (rate.take(addressKey(base.remoteAddress))) {
      serve(base, options, warnings).catch((error) => {
        core.fault(error);
        base.close({ code: internalError, reason: 'internal error' });
      });
    } else {
      warnings.warn('connection refused', { remoteAddress: base.remoteAddress, reason: 'too many from this address' });
      base.close({ code: excessiveLoad, reason: 'too many connections' });
    }
  }
}

/** One connection: ALPN `h3` carries a WebTransport session, a MoQT version is the session itself. */
async function serve(base: Transport, options: AcceptOptions, warnings: LimitedWarnings): Promise<void> {
  const { core, versions, limits, connections } = options;
  let transport = base;
  if (base.protocol === 'h3') {
    try {
      transport = await acceptWebTransport(base, {
        protocols: versions,
        requireProtocol: versions.includes(inBandProtocol) ? 'ifOffered' : 'always',
        handshakeTimeoutMs: limits.handshakeMs,
      });
    } catch (error) {
      const { code, message } = toStreamsError(error);
      warnings.warn('session refused', { via: 'h3', remoteAddress: base.remoteAddress, code, reason: message });
      return;
    }
  }
  connections?.add(base);
  void base.closed.then(() => connections?.delete(base));
  void core.serve(transport);
}
