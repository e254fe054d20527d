import { isIPv4, isIPv6 } from 'node:net';

const GROUPS = 8;
/** ::ffff:0:0/96, the addresses of IPv4 in IPv6 (RFC 4291 §2.5.5.2). */
const MAPPED_PREFIX: readonly number[] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/** The 4 or 16 bytes of an address, in network order; undefined for what is none. A zone (`%eth0`) is left out. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.'), Number);
  return isIPv6(text) ? ipv6Bytes(text.split('%', 1)[0] as string) : undefined;
}

/** An address of IPv4 as one of IPv6 (`::ffff:192.0.2.1`); one of IPv6 as it is. */
export function mappedBytes(address: Uint8Array): Uint8Array {
  return address.length === 4 ? Uint8Array.of(...MAPPED_PREFIX, ...address) : address;
}

/**
 * The text of an address of 4 or 16 bytes. IPv6 as RFC 5952 wants it, with one exception: what is an address of IPv4 in
 * truth (`::ffff:192.0.2.1`) is told as that, so that each client has one spelling.
 */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  if (MAPPED_PREFIX.every((value, index) => bytes[index] === value)) return bytes.subarray(12).join('.');
  const groups = Array.from({ length: GROUPS }, (_, index) => groupAt(bytes, index));
  const [start, length] = longestZeros(groups);
  const hex = groups.map((group) => group.toString(16));
  if (length < 2) return hex.join(':');
  return `${hex.slice(0, start).join(':')}::${hex.slice(start + length).join(':')}`;
}

/** The one spelling of an address that clients have here; undefined for what is no address. */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  const bytes = addressBytes(text);
  return bytes === undefined ? undefined : addressText(bytes);
}

function ipv6Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(2 * GROUPS);
  const [left = '', right = ''] = text.split('::', 2);
  fill(bytes, left, 0);
  if (right !== '') fill(bytes, right, 2 * GROUPS - sizeOf(right));
  return bytes;
}

/** Groups of `text`, of which the last may be an address of IPv4, from `at` on. */
function fill(bytes: Uint8Array, text: string, at: number): void {
  let place = at;
  for (const group of text === '' ? [] : text.split(':')) {
    if (group.includes('.')) {
      bytes.set(Uint8Array.from(group.split('.'), Number), place);
    } else {
      const value = Number.parseInt(group, 16);
      bytes[place] = value >>> 8;
      bytes[place + 1] = value & 0xff;
    }
    place += 2;
  }
}

function sizeOf(groups: string): number {
  return 2 * (groups.split(':').length + (groups.includes('.') ? 1 : 0));
}

function groupAt(bytes: Uint8Array, index: number): number {
  return ((bytes[2 * index] as number) << 8) | (bytes[2 * index + 1] as number);
}

/** The first of the longest runs of zeros (RFC 5952 §4.2.3). */
function longestZeros(groups: readonly number[]): readonly [start: number, length: number] {
  let best: readonly [number, number] = [0, 0];
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best[1]) best = [index - length + 1, length];
  }
  return best;
}
