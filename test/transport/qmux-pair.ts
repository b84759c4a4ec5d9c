import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AttachQmuxOptions, attachQmux, type QmuxUpgrade } from '../../src/transport/qmux/attach.ts';
import { type ConnectQmuxOptions, connectQmux } from '../../src/transport/qmux/connect.ts';
import type { Transport } from '../../src/transport/transport.ts';

export type QmuxServer = {
  readonly url: string;
  readonly port: number;
  readonly upgrade: QmuxUpgrade;
  /** The next transport that was accepted. */
  accepted(): Promise<Transport>;
  close(): Promise<void>;
};

/** An HTTP server on a free port of loopback that takes QMux upgrades. */
export async function qmuxServer(options: Partial<AttachQmuxOptions> = {}): Promise<QmuxServer> {
  const server = createServer((_request, response) => response.end('plain\n'));
  const all: Transport[] = [];
  const waiting: ((transport: Transport) => void)[] = [];
  const ready: Transport[] = [];
  const upgrade = attachQmux(server, {
    protocols: ['moqt-18', 'moqt-16'],
    onTransport(transport) {
      all.push(transport);
      const waiter = waiting.shift();
      if (waiter === undefined) ready.push(transport);
      else waiter(transport);
    },
    ...options,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `ws://127.0.0.1:${port}`,
    upgrade,
    accepted: () => {
      const transport = ready.shift();
      return transport === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(transport);
    },
    close: async () => {
      for (const transport of all) transport.close({ code: 0, reason: '' });
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

export type QmuxPair = { client: Transport; server: Transport; close: () => Promise<void> };

export async function qmuxPair(
  server: Partial<AttachQmuxOptions> = {},
  client: Partial<ConnectQmuxOptions> = {},
): Promise<QmuxPair> {
  const listening = await qmuxServer(server);
  const [ours, theirs] = await Promise.all([
    connectQmux({ url: `${listening.url}/publish/lv_1?sk=x`, versions: ['moqt-18'], ...client }),
    listening.accepted(),
  ]);
  return {
    client: ours,
    server: theirs,
    close: async () => {
      ours.close({ code: 0, reason: '' });
      await listening.close();
    },
  };
}
