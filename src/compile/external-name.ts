import { BlockList, isIP } from 'node:net';

const hostLabel = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const MAX_NAME_LENGTH = 253;
const MAX_LABEL_LENGTH = 63;

/** Names that mean this machine in common hosts files. */
const localNames = new Set([
  'localhost',
  'localhost.localdomain',
  'localhost6',
  'ip6-localhost',
  'ip6-loopback',
]);

/** Loopback, unspecified and link-local (cloud metadata) addresses. IPv4-mapped forms are checked by the IPv4 rules. */
const forbidden = new BlockList();
forbidden.addSubnet('0.0.0.0', 8);
forbidden.addSubnet('127.0.0.0', 8);
forbidden.addSubnet('169.254.0.0', 16);
forbidden.addAddress('::', 'ipv6');
forbidden.addAddress('::1', 'ipv6');
forbidden.addSubnet('fe80::', 10, 'ipv6');

/** Why an ExternalName may not be forwarded to, or undefined when it may. */
export function externalNameFault(name: string): string | undefined {
  const host = canonicalExternalName(name);
  const family = isIP(host);
  if (family !== 0) {
    return forbidden.check(host, family === 6 ? 'ipv6' : 'ipv4')
      ? 'is a loopback or link-local address'
      : undefined;
  }
  const labels = host.split('.');
  if (host.length > MAX_NAME_LENGTH || !labels.every(isLabel)) return 'is not a DNS name';
  // Resolvers read a name that ends in a number as an address in some old notation: 127.1, 0x7f000001, 2130706433.
  if (/^(\d+|0x[\da-f]*)$/.test(labels.at(-1) ?? '')) return 'is not a DNS name';
  return localNames.has(host) || host.endsWith('.localhost') ? 'names this machine' : undefined;
}

/** Lower case, without the root's dot. */
export function canonicalExternalName(name: string): string {
  const lower = name.toLowerCase();
  return lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

function isLabel(label: string): boolean {
  return label.length <= MAX_LABEL_LENGTH && hostLabel.test(label);
}
