import type { QuicConnectOptions } from '../../src/transport/quic/connect.ts';
import { connectQuic } from '../../src/transport/quic/connect.ts';
import type { QuicListener, QuicListenOptions } from '../../src/transport/quic/listen.ts';
import { listenQuic } from '../../src/transport/quic/listen.ts';
import type { Transport } from '../../src/transport/transport.ts';
import { testCertificate } from './certificate.ts';

export type QuicPair = { client: Transport; server: Transport; listener: QuicListener; close(): Promise<void> };

let certificate: ReturnType<typeof testCertificate> | undefined;

/** One for all tests of a file. */
export function sharedCertificate(): ReturnType<typeof testCertificate> {
  certificate ??= testCertificate();
  return certificate;
}

/** On 127.0.0.1, a free port, ALPN 'test'. */
export async function testListener(options: Partial<QuicListenOptions> = {}): Promise<QuicListener> {
  return listenQuic({ host: '127.0.0.1', port: 0, alpn: ['test'], ...(await sharedCertificate()), ...options });
}

export async function testConnect(port: number, options: Partial<QuicConnectOptions> = {}): Promise<Transport> {
  const { sha256 } = await sharedCertificate();
  return connectQuic({ host: '127.0.0.1', port, alpn: ['test'], trust: { certificateHashes: [sha256] }, ...options });
}

/** Both ends of a connection over a loopback socket. */
export async function quicPair(
  listen: Partial<QuicListenOptions> = {},
  connect: Partial<QuicConnectOptions> = {},
): Promise<QuicPair> {
  const listener = await testListener(listen);
  const accepted = listener.accept();
  const client = await testConnect(listener.port, { host: listen.host ?? '127.0.0.1', ...connect });
  const server = await accepted;
  if (server === null) throw new Error('the listener closed');
  const close = async () => {
    client.close({ code: 0, reason: '' });
    await listener.close();
  };
  return { client, server, listener, close };
}

/** Polls until it is true; fails after 10 s. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
