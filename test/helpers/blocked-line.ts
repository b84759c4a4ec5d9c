import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A way to a server on loopback, by UDP and TCP on one port, as firewalls make it: what is blocked vanishes without a word. */
export type BlockedLine = AsyncDisposable & {
  readonly port: number;
  /** From now on, for what is open too. */
  block(which: { readonly udp?: boolean; readonly tcp?: boolean }): void;
};

export async function blockedLine(
  serverPort: number,
  blocked: { udp?: boolean; tcp?: boolean } = {},
): Promise<BlockedLine> {
  const [near, tcp] = await boundPair();
  const { port } = near.address();
  const state = { udp: false, tcp: false, ...blocked };
  const ways = new Map<number, UdpSocket>();
  const sockets = new Set<Socket>();
  near.on('message', (packet, { port: client }) => {
    if (state.udp) return;
    const way = ways.get(client) ?? createSocket('udp4');
    if (!ways.has(client)) {
      ways.set(client, way);
      way.on('message', (answer) => {
        if (!state.udp) near.send(answer, client, '127.0.0.1');
      });
    }
    way.send(packet, serverPort, '127.0.0.1');
  });
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
    return socket;
  };
  tcp.on('connection', (client) => {
    const server = keep(connect(serverPort, '127.0.0.1'));
    keep(client);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.on('data', (bytes) => {
        if (!state.tcp) to.write(bytes);
      });
      from.on('close', () => {
        if (!state.tcp) to.destroy();
      });
    }
  });
  return {
    port,
    block: (which) => {
      Object.assign(state, which);
    },
    async [Symbol.asyncDispose]() {
      near.close();
      for (const way of ways.values()) way.close();
      for (const socket of sockets) socket.destroy();
      tcp.close();
      await once(tcp, 'close');
    },
  };
}

/** The same number for both, which somebody else may have for one of them. */
async function boundPair(): Promise<[UdpSocket, Server]> {
  for (;;) {
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const udp = createSocket('udp4');
    const bound = once(udp, 'listening').then(
      () => true,
      () => false,
    );
    udp.bind((tcp.address() as AddressInfo).port, '127.0.0.1');
    if (await bound) return [udp, tcp];
    tcp.close();
  }
}
