import type { Endpoint } from './route-table.ts';

/** `address:port`, IPv6 in brackets: the identity of an endpoint within its upstream. */
export function endpointKey(endpoint: Pick<Endpoint, 'address' | 'port'>): string {
  const { address, port } = endpoint;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
