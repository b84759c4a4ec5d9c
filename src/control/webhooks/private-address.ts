import { BlockList, isIP } from 'node:net';

type Range = readonly [network: string, prefix: number];

/** IANA's IPv4 Special-Purpose Address Registry, with what is reserved for multicast and later use, and RFC 7526. */
const special4: readonly Range[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/** IANA's IPv6 Special-Purpose Address Registry within global unicast: Teredo (2001::/32) and 6to4 (2002::/16) lead to IPv4. */
const special6: readonly Range[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3fff::', 20],
];

/** All other IPv6 is special or unassigned (RFC 4291, 2.4): loopback, NAT64 (64:ff9b::/96), discard, SRv6, unique local, link local, … */
const globalUnicast = listOf('ipv6', [['2000::', 3]]);
/** IPv4 in IPv6 as sockets write it (RFC 4291, 2.5.5.2): the rules of IPv4 are checked for it. */
const mapped = listOf('ipv6', [['::ffff:0:0', 96]]);
const blocked4 = listOf('ipv4', special4);
const blocked6 = listOf('ipv6', special6);

function listOf(family: 'ipv4' | 'ipv6', ranges: readonly Range[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges) list.addSubnet(network, prefix, family);
  return list;
}

/** True for an address that is not on the public Internet, IPv4 in IPv6 included, and for what is no address. */
export function isPrivateAddress(address: string): boolean {
  const version = isIP(address);
  if (version === 4) return blocked4.check(address);
  if (version === 0) return true;
  if (mapped.check(address, 'ipv6')) return blocked4.check(address, 'ipv6');
  return !globalUnicast.check(address, 'ipv6') || blocked6.check(address, 'ipv6');
}
