import { BlockList, isIP } from 'node:net';

/** Who may speak for others in X-Forwarded-For. */
export class TrustedProxies {
  readonly #list = new BlockList();
  readonly isEmpty: boolean;

  /** `cidrs` were validated by the settings: `10.0.0.0/8`, `::1`, `192.0.2.1`. Throws on anything else. */
  constructor(cidrs: readonly string[]) {
    this.isEmpty = cidrs.length === 0;
    for (const cidr of cidrs) this.#add(cidr);
  }

  trusts(address: string): boolean {
    if (this.isEmpty) return false;
    const family = isIP(address);
    return family !== 0 && this.#list.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }

  #add(cidr: string): void {
    const [address = '', prefix] = cidr.split('/');
    const family = isIP(address);
    if (family === 0)
      throw new Error(`reading trusted proxies: ${JSON.stringify(cidr)} is not an address or CIDR`);
    this.#list.addSubnet(
      address,
      Number(prefix ?? (family === 6 ? 128 : 32)),
      family === 6 ? 'ipv6' : 'ipv4',
    );
  }
}

/** `::ffff:192.0.2.1` (a dual-stack socket's form) → `192.0.2.1`. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
}

/**
 * The client's address: walks X-Forwarded-For from the right past trusted proxies and takes the first address that is
 * not one of them. A malformed entry ends the walk, so that nothing behind it can be spoofed.
 */
export function clientAddress(
  peer: string,
  forwardedFor: readonly string[],
  trusted: TrustedProxies,
): string {
  if (forwardedFor.length === 0 || !trusted.trusts(peer)) return peer;
  let address = peer;
  for (const entry of forwardedFor.join(',').split(',').reverse()) {
    const candidate = plainAddress(entry.trim());
    if (isIP(candidate) === 0) return address;
    address = candidate;
    if (!trusted.trusts(candidate)) return address;
  }
  return address;
}
