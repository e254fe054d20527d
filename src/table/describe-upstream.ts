import type { TableUpstream } from './route-table.ts';

/** How its endpoints are spoken to, in a word: `http1`, `grpc+tls`, `http1+proxy` where connections begin with a PROXY header. */
export function describeProtocol({
  protocol,
  grpc,
  tls,
  proxyProtocol,
}: Pick<TableUpstream, 'protocol' | 'grpc' | 'tls' | 'proxyProtocol'>): string {
  const parts = [grpc === true ? 'grpc' : protocol];
  if (tls !== undefined) parts.push('tls');
  if (proxyProtocol !== undefined) parts.push('proxy');
  return parts.join('+');
}
