import { isIPv4, isIPv6 } from 'node:net';

type Range<T> = readonly [first: T, last: T];

/**
 * A set of CIDRs with membership in O(log n). IPv4-mapped IPv6 (`::ffff:192.0.2.1`) counts as IPv4, in CIDRs and addresses;
 * otherwise a range holds addresses of its own family only.
 */
export class AddressRanges {
  readonly #v4: readonly Range<number>[];
  readonly #v6: readonly Range<bigint>[];

  constructor(v4: readonly Range<number>[], v6: readonly Range<bigint>[]) {
    this.#v4 = v4;
    this.#v6 = v6;
  }

  /** False for what is no address. */
  has(address: string): boolean {
    if (isIPv4(address)) return within(this.#v4, readIPv4(address));
    if (!isIPv6(address)) return false;
    const value = readIPv6(address);
    return value >> 32n === MAPPED ? within(this.#v4, Number(value & LOW_32)) : within(this.#v6, value);
  }
}

const MAPPED = 0xffffn;
const LOW_32 = 0xffff_ffffn;

/** Compiles CIDRs or single addresses. Returns the first text that is neither as a fault. */
export function compileRanges(cidrs: readonly string[]): AddressRanges | { readonly fault: string } {
  const v4: Range<number>[] = [];
  const v6: Range<bigint>[] = [];
  for (const cidr of cidrs) {
    const [address = '', length, ...rest] = cidr.split('/');
    const v4Form = isIPv4(address);
    const prefix = length === undefined ? Infinity : readPrefix(length);
    const bits = v4Form ? 32 : 128;
    const known = (v4Form || isIPv6(address)) && !address.includes('%');
    if (rest.length > 0 || !known || (length !== undefined && prefix > bits)) return { fault: cidr };
    const host = (1n << BigInt(bits - Math.min(prefix, bits))) - 1n;
    const value = v4Form ? (MAPPED << 32n) | BigInt(readIPv4(address)) : readIPv6(address);
    const [first, last] = [value & ~host, value | host];
    const mapped = first >> 32n === MAPPED && last >> 32n === MAPPED;
    if (mapped) v4.push([Number(first & LOW_32), Number(last & LOW_32)]);
    else v6.push([first, last]);
  }
  return new AddressRanges(merge(v4), merge(v6));
}

/** A prefix length, or Infinity when it is none. */
function readPrefix(text: string): number {
  return /^\d{1,3}$/.test(text) ? Number(text) : Infinity;
}

function readIPv4(address: string): number {
  let value = 0;
  let octet = 0;
  for (let index = 0; index < address.length; index++) {
    const code = address.charCodeAt(index);
    if (code === 0x2e) {
      value = value * 256 + octet;
      octet = 0;
    } else {
      octet = octet * 10 + code - 0x30;
    }
  }
  return value * 256 + octet;
}

function readIPv6(address: string): bigint {
  const [scoped = ''] = address.split('%', 1);
  const dot = scoped.includes('.') ? scoped.lastIndexOf(':') + 1 : scoped.length;
  const tail = dot < scoped.length ? readIPv4(scoped.slice(dot)) : 0;
  const text =
    dot < scoped.length
      ? `${scoped.slice(0, dot)}${(tail >>> 16).toString(16)}:${(tail & 0xffff).toString(16)}`
      : scoped;
  const [left = '', right] = text.split('::');
  const before = left === '' ? [] : left.split(':');
  const after = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  const groups = [...before, ...zeros, ...after];
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** Sorted, without overlaps. */
function merge<T extends number | bigint>(ranges: Range<T>[]): readonly Range<T>[] {
  ranges.sort((a, b) => (a[0] < b[0] ? -1 : Number(a[0] > b[0])));
  const merged: Range<T>[] = [];
  for (const range of ranges) {
    const previous = merged.at(-1);
    if (previous === undefined || range[0] > previous[1]) merged.push(range);
    else if (range[1] > previous[1]) merged[merged.length - 1] = [previous[0], range[1]];
  }
  return merged;
}

function within<T extends number | bigint>(ranges: readonly Range<T>[], value: T): boolean {
  let low = 0;
  let high = ranges.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const range = ranges[middle];
    if (range === undefined || value < range[0]) high = middle - 1;
    else if (value > range[1]) low = middle + 1;
    else return true;
  }
  return false;
}
