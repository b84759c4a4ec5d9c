import { BlockList, isIP } from 'node:net';

/** True when the rules are addresses or CIDR ranges and one of them holds `remoteAddress` (`address:port`, `[v6]:port`). */
export function addressAllowed(rules: readonly string[], remoteAddress: string): boolean {
  const address = hostOf(remoteAddress);
  const family = familyOf(address);
  if (family === undefined) return false;
  const list = new BlockList();
  for (const rule of rules) {
    const [host = '', bits] = rule.split('/');
    const ruleFamily = familyOf(host);
    if (ruleFamily === undefined) continue;
    const whole = ruleFamily === 'ipv4' ? 32 : 128;
    const prefix = bits === undefined ? whole : Number(bits);
    if (Number.isInteger(prefix) && prefix >= 0 && prefix <= whole && bits !== '')
      list.addSubnet(host, prefix, ruleFamily);
  }
  return list.check(address, family);
}

function hostOf(remoteAddress: string): string {
  const host = /^\[(.+)\](?::\d+)?$/.exec(remoteAddress)?.[1] ?? remoteAddress.replace(/^([^:]+):\d+$/, '$1');
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host)?.[1] ?? host;
}

function familyOf(host: string): 'ipv4' | 'ipv6' | undefined {
  const version = isIP(host);
  return version === 4 ? 'ipv4' : version === 6 ? 'ipv6' : undefined;
}
