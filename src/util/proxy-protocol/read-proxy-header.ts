import { V2_SIGNATURE } from './proxy-header.ts';
import type { ProxyHeaderRead } from './proxy-header.ts';
import { readV1 } from './read-v1.ts';
import { readV2 } from './read-v2.ts';

const V1_FIRST = 0x50;

/**
 * Reads a header of either version from the beginning of a stream. Call again with all bytes when there are more of them:
 * a verdict other than `more` stays as it is, whatever follows.
 */
export function readProxyHeader(bytes: Buffer): ProxyHeaderRead {
  if (bytes.length === 0) return 'more';
  if (bytes[0] === V1_FIRST) return readV1(bytes);
  return bytes[0] === V2_SIGNATURE[0] ? readV2(bytes) : 'garbage';
}
