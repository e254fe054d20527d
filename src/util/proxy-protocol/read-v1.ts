import { isIPv4, isIPv6 } from 'node:net';

import { canonicalAddress } from '../internet-address.ts';
import { MAX_V1_BYTES } from './proxy-header.ts';
import type { ProxiedConnection, ProxyHeaderRead } from './proxy-header.ts';

const START = 'PROXY ';
const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const LAST_PRINTABLE = 0x7e;

/** `PROXY TCP4 192.0.2.1 192.0.2.2 4711 443\r\n` (§2.1): exactly so, with one space between. */
export function readV1(bytes: Buffer): ProxyHeaderRead {
  const end = lineEnd(bytes);
  if (typeof end === 'string') return end;
  const connection = readLine(bytes.toString('latin1', START.length, end));
  if (connection === 'garbage') return 'garbage';
  return { header: { version: 1, connection }, bytes: end + 2 };
}

/** Where the CR of a line that may yet be one stands. */
function lineEnd(bytes: Buffer): number | 'more' | 'garbage' | 'oversize' {
  const last = Math.min(bytes.length, MAX_V1_BYTES);
  for (let at = 0; at < last; at++) {
    const byte = bytes[at] as number;
    if (at < START.length) {
      if (byte !== START.charCodeAt(at)) return 'garbage';
    } else if (byte === LF) {
      return bytes[at - 1] === CR ? at - 1 : 'garbage';
    } else if (bytes[at - 1] === CR || (byte !== CR && (byte < SPACE || byte > LAST_PRINTABLE))) {
      return 'garbage';
    }
  }
  return bytes.length < MAX_V1_BYTES ? 'more' : 'oversize';
}

/** What stands behind `PROXY `. */
function readLine(line: string): ProxiedConnection | undefined | 'garbage' {
  // What follows the word is to be ignored.
  if (line === 'UNKNOWN' || line.startsWith('UNKNOWN ')) return undefined;
  const [family, source = '', destination = '', sourcePort = '', destinationPort = '', ...rest] =
    line.split(' ');
  if (rest.length > 0 || !isPort(sourcePort) || !isPort(destinationPort)) return 'garbage';
  const isOfFamily = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isPlainIPv6 : undefined;
  if (isOfFamily === undefined || !isOfFamily(source) || !isOfFamily(destination)) return 'garbage';
  return {
    sourceAddress: canonicalAddress(source) as string,
    sourcePort: Number(sourcePort),
    destinationAddress: canonicalAddress(destination) as string,
    destinationPort: Number(destinationPort),
  };
}

/** Either case is allowed, and a tail in the notation of IPv4 is what HAProxy sends for mapped addresses; a zone is not. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}
