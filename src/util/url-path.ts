// Request paths in one canonical form, so that what is matched, what is forwarded and what a rule says are the same text.

/** Why a path was refused. `reason` is short and static: for logs, diagnostics and tests. */
export interface PathFault {
  readonly reason:
    | 'does not start with a slash'
    | 'encoded slash'
    | 'backslash'
    | 'control character'
    | 'bad percent triplet'
    | 'byte outside printable ASCII'
    | 'invalid UTF-8'
    | 'query or fragment inside the path'
    | 'dot segment beside an encoded slash';
}

export interface PathOptions {
  /**
   * Keep `%2F` and `%5C` instead of refusing them. They do not separate segments; a dot segment beside one is refused
   * all the same, because a server behind that decodes them would climb.
   */
  readonly allowEncodedSlashes?: boolean;
}

const notAbsolute: PathFault = Object.freeze({ reason: 'does not start with a slash' });
const encodedSlash: PathFault = Object.freeze({ reason: 'encoded slash' });
const backslash: PathFault = Object.freeze({ reason: 'backslash' });
const control: PathFault = Object.freeze({ reason: 'control character' });
const badTriplet: PathFault = Object.freeze({ reason: 'bad percent triplet' });
const rawByte: PathFault = Object.freeze({ reason: 'byte outside printable ASCII' });
const badUtf8: PathFault = Object.freeze({ reason: 'invalid UTF-8' });
const delimiter: PathFault = Object.freeze({ reason: 'query or fragment inside the path' });
const hiddenDots: PathFault = Object.freeze({ reason: 'dot segment beside an encoded slash' });

const SLASH = 0x2f;
const PERCENT = 0x25;
const DOT = 0x2e;
const BACKSLASH = 0x5c;
const HEX = '0123456789ABCDEF';

const UNRESERVED = 1;
const PATH = 2;

/** Class of each ASCII character: unreserved, otherwise at home in a path (RFC 3986 §3.3 pchar), or neither. */
const classes = new Uint8Array(128);
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~') {
  classes[char.charCodeAt(0)] = UNRESERVED;
}
for (const char of "!$&'()*+,;=:@") classes[char.charCodeAt(0)] = PATH;

/**
 * The normal form of a request path (RFC 3986 §6.2.2): percent-encoded unreserved characters decoded, other triplets in
 * upper case, ASCII that no path may hold raw (`{`, `"`, `[` …) encoded, slashes merged, then dot segments resolved
 * and clamped at the root. Decodes one level only: `%252e` stays. A path that is normal already is returned as it is,
 * after one look at each character and without allocation.
 */
export function normalizePath(path: string, options?: PathOptions): string | PathFault {
  return isNormal(path) ? path : rewrite(path, options?.allowEncodedSlashes === true);
}

/**
 * The normal form of a path as a user writes it in a rule: as `normalizePath`, but characters outside ASCII and spaces are
 * percent-encoded first. `?` and `#` are refused, since no request path can hold them raw.
 */
export function normalizeRulePath(path: string, options?: PathOptions): string | PathFault {
  if (!path.isWellFormed()) return badUtf8;
  return normalizePath(
    path.replaceAll(/[ \u0080-\u{10ffff}]+/gu, (text) => encodeURIComponent(text)),
    options,
  );
}

export function isPathFault(result: string | PathFault): result is PathFault {
  return typeof result !== 'string';
}

function isNormal(path: string): boolean {
  if (path.charCodeAt(0) !== SLASH) return false;
  let segmentStart = true;
  for (let index = 1; index < path.length; index++) {
    const code = path.charCodeAt(index);
    if (code === SLASH) {
      if (segmentStart) return false;
      segmentStart = true;
      continue;
    }
    // A segment that begins with a dot is seldom, and only rewrite() tells `.well-known` from `..`.
    if (code > 0x7f || classes[code] === 0 || (segmentStart && code === DOT)) return false;
    segmentStart = false;
  }
  return true;
}

/** The slow path: one pass over the characters into a list of finished segments. */
function rewrite(path: string, keepSlashes: boolean): string | PathFault {
  if (path.charCodeAt(0) !== SLASH) return notAbsolute;
  const segments: string[] = [];
  let open = '';
  let index = 1;
  while (index <= path.length) {
    const end = nextSlash(path, index);
    const segment = normalizeSegment(path, index, end, keepSlashes);
    if (typeof segment !== 'string') return segment;
    index = end + 1;
    open = '';
    if (segment === '.' || segment === '..') {
      if (segment === '..') segments.pop();
    } else if (segment !== '') {
      segments.push(segment);
      // Closed by a slash, or the last one, which is written without.
      open = end < path.length ? '' : segment;
    }
  }
  const joined = segments.join('/');
  if (joined === '') return '/';
  return open === '' ? `/${joined}/` : `/${joined}`;
}

function nextSlash(path: string, from: number): number {
  const found = path.indexOf('/', from);
  return found < 0 ? path.length : found;
}

function normalizeSegment(
  path: string,
  start: number,
  end: number,
  keepSlashes: boolean,
): string | PathFault {
  let out = '';
  let index = start;
  let separators = false;
  while (index < end) {
    const code = path.charCodeAt(index);
    if (code !== PERCENT) {
      const raw = rawCharacter(code);
      if (typeof raw !== 'string') return raw;
      out += raw;
      index++;
      continue;
    }
    const octet = tripletAt(path, index, end);
    if (octet > 0x7f) {
      const length = utf8Length(path, index, end);
      if (length === 0) return badUtf8;
      out += path.slice(index, index + length).toUpperCase();
      index += length;
      continue;
    }
    const decoded = encodedCharacter(octet, keepSlashes);
    if (typeof decoded !== 'string') return decoded;
    separators ||= octet === SLASH || octet === BACKSLASH;
    out += decoded;
    index += 3;
  }
  return separators && out.split(/%2F|%5C/).some((part) => part === '.' || part === '..') ? hiddenDots : out;
}

function rawCharacter(code: number): string | PathFault {
  if (code < 0x20 || code === 0x7f) return control;
  if (code === 0x20 || code > 0x7f) return rawByte;
  if (code === BACKSLASH) return backslash;
  if (code === 0x3f || code === 0x23) return delimiter;
  return classes[code] === 0 ? triplet(code) : String.fromCharCode(code);
}

/** `octet` is -1 for a bad triplet, otherwise ASCII. */
function encodedCharacter(octet: number, keepSlashes: boolean): string | PathFault {
  if (octet < 0) return badTriplet;
  if (octet < 0x20 || octet === 0x7f) return control;
  if (octet === SLASH && !keepSlashes) return encodedSlash;
  if (octet === BACKSLASH && !keepSlashes) return backslash;
  return classes[octet] === UNRESERVED ? String.fromCharCode(octet) : triplet(octet);
}

function triplet(octet: number): string {
  return `%${HEX.charAt(octet >> 4)}${HEX.charAt(octet & 15)}`;
}

/** The octet of the percent triplet at `index`, or -1. */
function tripletAt(path: string, index: number, end: number): number {
  if (index + 2 >= end || path.charCodeAt(index) !== PERCENT) return -1;
  const high = hexDigit(path.charCodeAt(index + 1));
  const low = hexDigit(path.charCodeAt(index + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Characters that the triplets of one well-formed multi-byte sequence take (Unicode table 3-7), 0 when it is not one. */
function utf8Length(path: string, index: number, end: number): number {
  const first = tripletAt(path, index, end);
  const more = continuationBytes(first);
  if (more === 0) return 0;
  const second = tripletAt(path, index + 3, end);
  if (second < lowestSecond(first) || second > highestSecond(first)) return 0;
  for (let place = 2; place <= more; place++) {
    const octet = tripletAt(path, index + 3 * place, end);
    if (octet < 0x80 || octet > 0xbf) return 0;
  }
  return 3 * (more + 1);
}

function continuationBytes(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 1;
  if (first >= 0xe0 && first <= 0xef) return 2;
  return first >= 0xf0 && first <= 0xf4 ? 3 : 0;
}

/** Above 0x80 where a lower second byte would make the form overlong. */
function lowestSecond(first: number): number {
  if (first === 0xe0) return 0xa0;
  return first === 0xf0 ? 0x90 : 0x80;
}

/** Below 0xbf where a higher second byte would make a surrogate, or pass U+10FFFF. */
function highestSecond(first: number): number {
  if (first === 0xed) return 0x9f;
  return first === 0xf4 ? 0x8f : 0xbf;
}
