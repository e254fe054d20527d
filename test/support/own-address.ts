import { networkInterfaces } from 'node:os';

/**
 * An IPv4 address of this machine outside of 127.0.0.0/8: the API server takes no loopback address for an endpoint. What is
 * sent to it does not leave the machine. Throws when there is none.
 */
export function ownAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) {
      if (family === 'IPv4' && !internal && !address.startsWith('169.254.')) return address;
    }
  }
  throw new Error(
    'find an address for endpoints: this machine has loopback addresses only, want another IPv4 address',
  );
}
