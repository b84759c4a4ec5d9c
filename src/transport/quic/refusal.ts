import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/**
 * Calls `refused` when the machine at this address says that nothing listens on the port, so that nobody waits for a
 * handshake to time out. The QUIC socket is not connected and never hears of it; this one sends a single byte, which a
 * QUIC server ignores. Only asked while connecting: an established connection must not fall to a forged ICMP message
 * (RFC 9000, 21.5). Returns what ends it.
 */
export function watchRefusal(ip: string, port: number, refused: () => void): () => void {
  const probe = createSocket(isIPv6(ip) ? 'udp6' : 'udp4');
  let over = false;
  const end = () => {
    if (over) return;
    over = true;
    probe.close();
  };
  probe.on('error', (error: NodeJS.ErrnoException) => {
    if (over) return;
    end();
    if (error.code === 'ECONNREFUSED') refused();
  });
  probe.unref();
  // Where no way leads there (a cable is cut), the callback has the error, though the types do not say so.
  const connected = (error?: Error): void => {
    if (error !== undefined && error !== null) end();
    else if (!over) probe.send(new Uint8Array(1));
  };
  probe.connect(port, ip, connected);
  return end;
}
