import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { random } from '../fuzz/random.ts';

export type LossyProxy = {
  readonly port: number;
  readonly counts: { passed: number; lost: number; held: number };
  [Symbol.asyncDispose](): Promise<void>;
};

/**
 * A bad line of one caller to a UDP server on this machine: loses a share of the datagrams both ways and holds others back
 * for up to 20 ms, so that later ones overtake them. The same decisions in every run.
 */
export async function startLossyProxy(
  serverPort: number,
  { loss, reorder, seed }: { loss: number; reorder: number; seed: number },
): Promise<LossyProxy> {
  const next = random(seed);
  const front = createSocket('udp4');
  const back = createSocket('udp4');
  const counts = { passed: 0, lost: 0, held: 0 };
  const held = new Set<NodeJS.Timeout>();
  let callerPort: number | undefined;
  const pass = (socket: Socket, datagram: Uint8Array, port: number) => {
    if (next() < loss) {
      counts.lost++;
      return;
    }
    counts.passed++;
    if (next() >= reorder) {
      socket.send(datagram, port, '127.0.0.1');
      return;
    }
    counts.held++;
    const timer = setTimeout(() => {
      held.delete(timer);
      socket.send(datagram, port, '127.0.0.1');
    }, next() * 20);
    held.add(timer);
  };
  front.on('message', (datagram, from) => {
    callerPort = from.port;
    pass(back, datagram, serverPort);
  });
  back.on('message', (datagram) => {
    if (callerPort !== undefined) pass(front, datagram, callerPort);
  });
  front.bind(0, '127.0.0.1');
  back.bind(0, '127.0.0.1');
  await Promise.all([once(front, 'listening'), once(back, 'listening')]);
  return {
    port: front.address().port,
    counts,
    async [Symbol.asyncDispose]() {
      for (const timer of held) clearTimeout(timer);
      await Promise.all([front, back].map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
    },
  };
}
