import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { type Check, fail, ok } from './check.ts';

export type Port = { option: string; protocol: 'tcp' | 'udp'; port: number };

/** What `streams serve` listens on when nobody says otherwise. */
export const servePorts: readonly Port[] = [
  { option: '--http-port', protocol: 'tcp', port: 8080 },
  { option: '--relay-port', protocol: 'udp', port: 4443 },
  { option: '--relay-port', protocol: 'tcp', port: 4443 },
  { option: '--rtmp-port', protocol: 'tcp', port: 1935 },
  { option: '--srt-port', protocol: 'udp', port: 9000 },
];

/** `serving`: a streams serve of ours answers on this machine, and holds them. */
export async function portsCheck(ports: readonly Port[], host: string, serving: boolean): Promise<Check> {
  const errors = await Promise.all(ports.map((port) => bindError(port, host)));
  const taken = ports.filter((_, index) => errors[index] !== undefined);
  if (taken.length === 0) return ok('ports', `${ports.map(text).join(', ')} are free`);
  const list = taken.map(text).join(', ');
  if (serving) return ok('ports', `${list} in use: streams serve is running`);
  const options = [...new Set(taken.map(({ option }) => option))];
  return fail(
    'ports',
    taken.map((port) => `${text(port)}: ${errors[ports.indexOf(port)]}`).join(', '),
    `stop what uses them, or streams serve ${options.map((option) => `${option} 0`).join(' ')}`,
  );
}

function text({ protocol, port }: Port): string {
  return `${port}/${protocol}`;
}

/** undefined: it can be had. */
function bindError({ protocol, port }: Port, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const failed = ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'EADDRINUSE' ? 'in use' : code === 'EACCES' ? 'not allowed' : String(code));
    if (protocol === 'tcp') {
      const server = createServer();
      server.once('error', failed);
      server.listen(port, host, () => server.close(() => resolve(undefined)));
    } else {
      const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
      socket.once('error', (error) => {
        socket.close();
        failed(error as NodeJS.ErrnoException);
      });
      socket.bind({ port, address: host, exclusive: true }, () => socket.close(() => resolve(undefined)));
    }
  });
}
