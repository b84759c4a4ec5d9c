import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { StreamsError } from '../core/errors.ts';

/** Reverse proxies whose `x-forwarded-for` is believed: IP addresses and CIDR ranges. */
export class TrustedProxies {
  readonly #ranges = new BlockList();
  readonly #some: boolean;

  /** Throws USAGE for what is neither an address nor a range. */
  constructor(rules: readonly string[]) {
    this.#some = rules.length > 0;
    for (const rule of rules) {
      const [, host = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(rule) ?? [];
      const version = isIP(host);
      const whole = version === 4 ? 32 : 128;
      if (version === 0 || Number(bits ?? whole) > whole)
        throw new StreamsError('USAGE', `"${rule}" is neither an IP address nor a range of them`, {
          hint: '--trusted-proxy 192.0.2.10 or --trusted-proxy 10.0.0.0/8',
        });
      this.#ranges.addSubnet(host, Number(bits ?? whole), version === 4 ? 'ipv4' : 'ipv6');
    }
  }

  has(address: string): boolean {
    if (!this.#some) return false;
    const version = isIP(address);
    return version !== 0 && this.#ranges.check(address, version === 4 ? 'ipv4' : 'ipv6');
  }

  /**
   * Who asks: the peer of the socket; where that is one of the proxies, the last address in `x-forwarded-for` that is none of them, since a
   * proxy appends what it saw and everything before that is what its client claims. '' when the connection has gone.
   */
  clientOf(incoming: IncomingMessage): string {
    const peer = plainAddress(peerOf(incoming));
    if (!this.has(peer)) return peer;
    const header = incoming.headers['x-forwarded-for'];
    const hops = (typeof header === 'string' ? header : '')
      .split(',')
      .map((hop) => plainAddress(withoutPort(hop.trim())));
    let client = peer;
    for (const hop of hops.reverse()) {
      if (isIP(hop) === 0) return client;
      client = hop;
      if (!this.has(hop)) return client;
    }
    return client;
  }
}

/** The address of a socket without the form that IPv4 has on an IPv6 socket. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '');
}

/** Whose one thing is counted together: an IPv4 address, or the /64 that one IPv6 subscriber has at least. */
export function addressGroup(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const parts =
    tail === undefined ? left : [...left, ...Array(Math.max(0, 8 - left.length - right.length)).fill('0'), ...right];
  return parts
    .slice(0, 4)
    .map((part) => Number.parseInt(part, 16).toString(16))
    .join(':');
}

function withoutPort(hop: string): string {
  return /^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? (/^[\d.]+:\d+$/.test(hop) ? hop.replace(/:\d+$/, '') : hop);
}

/** HTTP/2 throws where the session of a request has ended. */
function peerOf({ socket }: IncomingMessage): string {
  try {
    return socket?.remoteAddress ?? '';
  } catch {
    return '';
  }
}
