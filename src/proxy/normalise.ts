import { isIPv6 } from 'node:net';

import { isPathFault, normalizePath } from '../util/url-path.ts';
import type { PathOptions } from '../util/url-path.ts';

/** Where `normalizeAuthority` writes to. `scheme` says which port stands for none. */
export interface AuthorityTarget {
  readonly scheme: 'http' | 'https';
  host: string;
  port: number;
  authority: string;
}

/** Where `normalizeTarget` writes to. */
export interface PathTarget {
  path: string;
  query: string;
}

/** Names in DNS are at most this long in text form, without the trailing dot (RFC 1035 §2.3.4). */
const MAX_HOST = 253;
const MAX_LABEL = 63;

/** Lower-case letters, digits, hyphen and (seen in the wild) underscore. */
const nameCharacters = new Uint8Array(128);
for (const char of 'abcdefghijklmnopqrstuvwxyz0123456789-_') nameCharacters[char.charCodeAt(0)] = 1;

const DOT = 0x2e;
const defaultPorts = { http: 80, https: 443 } as const;
const keepSlashes: PathOptions = { allowEncodedSlashes: true };

/**
 * Reads `host`, `host:port` or `[v6]:port` (RFC 9110 §4.2.3) into canonical form: lower case, no trailing dot. `authority`
 * becomes the canonical host with the port that was named; `port` is that or the scheme's default.
 * Returns false, leaving `into` as it is, for anything that is not a DNS name of A-labels, an IPv4 address or a
 * bracketed IPv6 address, with a port of 1…65535 if any: userinfo, lists, spaces, NUL, percent signs, U-labels, empty
 * labels, the empty host. A canonical host without a port is taken as it is, after one look at each character.
 */
export function normalizeAuthority(authority: string, into: AuthorityTarget): boolean {
  if (isCanonicalName(authority)) {
    into.host = authority;
    into.port = defaultPorts[into.scheme];
    into.authority = authority;
    return true;
  }
  const bracket = authority.startsWith('[') ? authority.indexOf(']') : 0;
  if (bracket < 0) return false;
  const colon = authority.indexOf(':', bracket);
  const named = colon >= 0;
  const host = canonicalHost(named ? authority.slice(0, colon) : authority);
  const port = named ? readPort(authority.slice(colon + 1)) : defaultPorts[into.scheme];
  if (host === undefined || port === 0) return false;
  into.host = host;
  into.port = port;
  into.authority = named ? `${host}:${port}` : host;
  return true;
}

/** The canonical form of a host without a port, or undefined when it is none. */
export function canonicalHost(text: string): string | undefined {
  // Checked before folding, which would take the Kelvin sign into ASCII.
  if (!isAscii(text)) return undefined;
  const lower = text.toLowerCase();
  if (lower.startsWith('[')) return lower.endsWith(']') && isAddress(lower.slice(1, -1)) ? lower : undefined;
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  return isCanonicalName(name) ? name : undefined;
}

/**
 * Cuts an origin-form target at its `?` and normalises the path. The empty path (`http://host?x`) is `/`. Returns false,
 * leaving `into` as it is, for a path that must not be served. A normal path without a query is taken as it is.
 */
export function normalizeTarget(
  pathAndQuery: string,
  into: PathTarget,
  allowEncodedSlashes: boolean,
): boolean {
  const mark = pathAndQuery.indexOf('?');
  const raw = mark < 0 ? pathAndQuery : pathAndQuery.slice(0, mark);
  const path = raw === '' ? '/' : normalizePath(raw, allowEncodedSlashes ? keepSlashes : undefined);
  if (isPathFault(path)) return false;
  into.path = path;
  into.query = mark < 0 || mark === pathAndQuery.length - 1 ? '' : pathAndQuery.slice(mark);
  return true;
}

/** Lower case, 1…63 characters a label, at most 253 in all, no trailing dot, no port. */
function isCanonicalName(name: string): boolean {
  const { length } = name;
  if (length === 0 || length > MAX_HOST) return false;
  let labelStart = 0;
  for (let index = 0; index < length; index++) {
    const code = name.charCodeAt(index);
    if (code === DOT) {
      if (index === labelStart || index - labelStart > MAX_LABEL) return false;
      labelStart = index + 1;
    } else if (code > 0x7f || nameCharacters[code] === 0) {
      return false;
    }
  }
  return labelStart < length && length - labelStart <= MAX_LABEL;
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}

/** Without a zone: a link-local scope means nothing to another machine (RFC 6874 §1). */
function isAddress(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

/** 1…65535, or 0 when it is no port. */
function readPort(text: string): number {
  if (!/^\d{1,5}$/.test(text)) return 0;
  const port = Number(text);
  return port <= 65_535 ? port : 0;
}
