import type { Transport } from '../../transport/transport.ts';

const everyMs = 500;
/** Three seconds. */
const maxSilentLooks = 6;

/**
 * Closes a connection that another relay dialled once it does not acknowledge any more. Relays of ours ask for a short idle timeout when they
 * dial, moq-relay does not, and our keep-alive starts that of 10 s anew. Looks are counted, not time, so that a process that slept
 * does not blame its peer. Other transports hide acknowledgements and are left alone.
 */
export function watchLink(transport: Transport): void {
  if (transport.kind !== 'quic' && transport.kind !== 'webtransport') return;
  let { bytesReceived: heard, bytesSent: sent } = transport.stats();
  /** In a row without a word of the peer: looks at which more was sent than before, and those since the second of them. */
  let sentLooks = 0;
  let silentLooks = 0;
  const timer = setInterval(() => {
    const { bytesReceived, bytesSent } = transport.stats();
    if (bytesReceived !== heard) {
      sentLooks = 0;
      silentLooks = 0;
    } else if (bytesSent !== sent) sentLooks++;
    heard = bytesReceived;
    sent = bytesSent;
    // The first may be our acknowledgement of the last that came, which is not acknowledged itself.
    if (sentLooks < 2 || ++silentLooks < maxSilentLooks) return;
    clearInterval(timer);
    transport.close({ code: 0, reason: 'the relay does not answer' });
  }, everyMs);
  timer.unref();
  void transport.closed.then(() => clearInterval(timer));
}
