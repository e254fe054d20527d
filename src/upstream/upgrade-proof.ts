import { createHash } from 'node:crypto';

import type { ResponseHead } from '../http1/message-head.ts';

/** Joined to the key before hashing (RFC 6455 §1.3). */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Whether a 101 answers the upgrade that was asked for; for WebSocket with the right proof that the key was read. */
export function acceptsUpgrade(head: ResponseHead, asked: string, webSocketKey: string): boolean {
  if (head.upgrade === undefined || head.upgrade !== asked) return false;
  if (asked !== 'websocket') return true;
  return head.headers.get('sec-websocket-accept') === webSocketAccept(webSocketKey);
}

/** Sec-WebSocket-Accept for a key (RFC 6455 §4.2.2). */
export function webSocketAccept(key: string): string {
  return createHash('sha1')
    .update(key + WEBSOCKET_GUID)
    .digest('base64');
}
