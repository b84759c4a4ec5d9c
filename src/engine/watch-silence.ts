import type { Transport } from '../transport/transport.ts';

const everyMs = 250;
/** Looks in a row at which something was sent and nothing came back: two seconds. */
const maxSilentLooks = 8;
/** What we acknowledge ourselves is never answered: less than this tells nothing. */
const minSentBytes = 4096;

/**
 * Closes a QUIC connection whose peer has stopped acknowledging: a relay that was killed is noticed in two seconds, not after
 * the idle timeout. Looks are counted, not time, so that a process that slept does not blame its peer. Other transports
 * hide acknowledgements and are left alone. Returns how to stop.
 */
export function watchSilence(transport: Transport): () => void {
  if (transport.kind !== 'quic' && transport.kind !== 'webtransport') return () => {};
  let heard = transport.stats().bytesReceived;
  let sentThen = transport.stats().bytesSent;
  let silentLooks = 0;
  const timer = setInterval(() => {
    const { bytesReceived, bytesSent } = transport.stats();
    if (bytesReceived !== heard) {
      heard = bytesReceived;
      sentThen = bytesSent;
      silentLooks = 0;
    } else if (bytesSent >= sentThen + minSentBytes && ++silentLooks === maxSilentLooks) {
      clearInterval(timer);
      transport.close({ code: 0, reason: 'the relay does not answer' });
    }
  }, everyMs);
  const stop = () => clearInterval(timer);
  void transport.closed.then(stop);
  return stop;
}
