import { canonicalAddress } from '../util/internet-address.ts';
import { compileRanges } from '../util/address-ranges.ts';
import type { AddressRanges } from '../util/address-ranges.ts';

/** Who may speak for others: in X-Forwarded-For, and in PROXY protocol headers. */
export class TrustedProxies {
  readonly #ranges: AddressRanges;
  readonly isEmpty: boolean;

  /** `cidrs` were validated by the settings: `10.0.0.0/8`, `::1`, `192.0.2.1`. Throws on anything else. */
  constructor(cidrs: readonly string[]) {
    const ranges = compileRanges(cidrs);
    if ('fault' in ranges)
      throw new Error(`reading trusted proxies: ${JSON.stringify(ranges.fault)} is not an address or CIDR`);
    this.isEmpty = cidrs.length === 0;
    this.#ranges = ranges;
  }

  /** An address of IPv4 in IPv6 (`::ffff:192.0.2.1`) counts as that of IPv4. False for what is no address. */
  trusts(address: string): boolean {
    return !this.isEmpty && this.#ranges.has(address);
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
    const candidate = canonicalAddress(entry.trim());
    if (candidate === undefined) return address;
    address = candidate;
    if (!trusted.trusts(candidate)) return address;
  }
  return address;
}
