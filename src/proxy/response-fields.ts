import type { ResponseHead } from '../http1/message-head.ts';

/** Fields of a response that concern the upstream's connection, or that the writer sets itself (RFC 9110 §7.6.1). */
const dropped: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Takes off, in place, what must not reach the client as it came. */
export function dropResponseFields(head: ResponseHead, passServer: boolean): void {
  const { headers, connectionTokens } = head;
  const { lower, length } = headers;
  let kept = 0;
  for (let index = 0; index < length; index++) {
    const name = lower[index] as string;
    if (dropped.has(name) || (name === 'server' && !passServer)) continue;
    if (connectionTokens.length > 0 && connectionTokens.includes(name)) continue;
    headers.place(index, kept++);
  }
  headers.truncate(kept);
}
