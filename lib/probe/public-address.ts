import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** Ranges that no public service is reached at: IANA special-purpose registries for IPv4 and IPv6, 2026. */
const SPECIAL_V4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  // Azure's own platform, from inside.
  ['168.63.129.16', 32],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const;

/** Teredo, ORCHID and other protocol assignments; documentation; 6to4. */
const SPECIAL_V6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const;

/** IPv6 prefixes of 96 bits that are followed by an IPv4 address: mapped, NAT64. */
const EMBEDDED_V4 = ['::ffff:', '64:ff9b::'] as const;

const special4 = new BlockList();
const global6 = new BlockList();
const special6 = new BlockList();
for (const [net, bits] of SPECIAL_V4) {
  special4.addSubnet(net, bits, 'ipv4');
  for (const prefix of EMBEDDED_V4) special6.addSubnet(prefix + net, 96 + bits, 'ipv6');
}
for (const [net, bits] of SPECIAL_V6) special6.addSubnet(net, bits, 'ipv6');
for (const prefix of EMBEDDED_V4) global6.addSubnet(`${prefix}0.0.0.0`, 96, 'ipv6');
global6.addSubnet('2000::', 3, 'ipv6');

/** Whether an IP address is one of the public internet; IPv6 must be global unicast, or hold a public IPv4 address. */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !special4.check(address, 'ipv4');
  if (!isIPv6(address) || address.includes('%')) return false;
  return global6.check(address, 'ipv6') && !special6.check(address, 'ipv6');
}
