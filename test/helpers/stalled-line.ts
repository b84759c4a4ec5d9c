import { createSocket, type Socket } from 'node:dgram';

export type StalledLine = {
  /** Clients dial this one. */
  readonly port: number;
  /** Packets from the server wait from now on; those to it go through. */
  hold(): void;
  /** What waits goes out in its order, and all that follows at once. */
  release(): void;
  close(): void;
};

/** A UDP line to one server on loopback, for one client, whose way down can be held. */
export async function stalledLine(serverPort: number): Promise<StalledLine> {
  const near = createSocket('udp4');
  const far = createSocket('udp4');
  let client: number | undefined;
  let held: Buffer[] | undefined;
  const down = (packet: Buffer) => {
    if (client !== undefined) near.send(packet, client, '127.0.0.1');
  };
  near.on('message', (packet, { port }) => {
    client = port;
    far.send(packet, serverPort, '127.0.0.1');
  });
  far.on('message', (packet) => {
    if (held === undefined) down(packet);
    else held.push(packet);
  });
  await Promise.all([bound(near), bound(far)]);
  return {
    port: near.address().port,
    hold() {
      held ??= [];
    },
    release() {
      const packets = held ?? [];
      held = undefined;
      for (const packet of packets) down(packet);
    },
    close() {
      near.close();
      far.close();
    },
  };
}

function bound(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
}
