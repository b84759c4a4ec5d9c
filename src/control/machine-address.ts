import { readFileSync } from 'node:fs';
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os';

/** The address at which others most likely reach this machine: of the interface that leads out, else the first that is not loopback. */
export function machineAddress(): string | undefined {
  return machineAddresses()[0];
}

/** The addresses of this machine that others may reach, the likeliest first; link-local ones are none. */
function machineAddresses(): string[] {
  const out = outwardInterface();
  const all = Object.entries(networkInterfaces()).flatMap(([name, infos]) =>
    (infos ?? []).map((info) => ({ name, info })),
  );
  const rank = ({ name, info }: { name: string; info: NetworkInterfaceInfo }) =>
    (info.family === 'IPv4' ? 0 : 2) + (name === out ? 0 : 1);
  return all
    .filter(({ info }) => !info.internal && !/^(169\.254\.|fe[89ab])/i.test(info.address))
    .map((each, index) => ({ each, index }))
    .sort((a, b) => rank(a.each) - rank(b.each) || a.index - b.index)
    .map(({ each }) => each.info.address);
}

/** That of the default route with the lowest metric; undefined where there is none, or no /proc. Fields of proc_pid_net(5), `route`. */
function outwardInterface(): string | undefined {
  let table: string;
  try {
    table = readFileSync('/proc/net/route', 'utf8');
  } catch {
    return undefined;
  }
  const ways = table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
    .filter(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000');
  return ways.sort((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0];
}
