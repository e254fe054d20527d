import type { HeaderList } from '../util/header-list.ts';
import { AUTHORITY, TARGET, TOKEN, isAll } from './byte-classes.ts';
import type { FieldSection } from './field-section.ts';
import type { ErrorName } from './frames.ts';

// Requests and responses out of field sections (RFC 9113 §8.3).

/** A request's head, given away with the call that it comes with: it may be kept. */
export interface Http2RequestHead {
  /** A token; whether it is a known method is for others to say. */
  readonly method: string;
  /** '' for plain CONNECT. Whether it suits the transport is for others to say. */
  readonly scheme: '' | 'http' | 'https';
  /** From `:authority`, or Host where that is missing; they agree where both are there. Not yet canonical. */
  readonly authority: string;
  /** Printable ASCII without `#`: path and query, `*` for OPTIONS of no path, '' for plain CONNECT. */
  readonly pathAndQuery: string;
  /** Of extended CONNECT (RFC 8441), else ''. */
  readonly protocol: string;
  /** Without pseudo-fields and Host; cookie crumbs joined. Names are in lower case. */
  readonly headers: HeaderList;
  /** -1 when not stated. DATA is held to it. */
  readonly contentLength: number;
}

/** A response's head, given away with the call that it comes with. */
export interface Http2ResponseHead {
  /** 100…599, never 101. Below 200: another head follows. */
  readonly status: number;
  readonly headers: HeaderList;
  /** -1 when not stated. */
  readonly contentLength: number;
}

/**
 * Why a head is refused. `status` 0: the message is malformed (§8.1.1), the stream is reset with `code`. Otherwise the
 * request is answered with it: 400 for what is well-formed HTTP/2 but must not be served, 431 beyond the limit of bytes.
 */
export interface HeadFault {
  readonly reason: string;
  readonly status: 0 | 400 | 431;
  readonly code: ErrorName;
}

function malformed(reason: string): HeadFault {
  return { reason, status: 0, code: 'PROTOCOL_ERROR' };
}

const tooMany: HeadFault = { reason: 'too many fields', status: 0, code: 'ENHANCE_YOUR_CALM' };
const tooLarge: HeadFault = { reason: 'head too large', status: 431, code: 'ENHANCE_YOUR_CALM' };

function notServed(reason: string): HeadFault {
  return { reason, status: 400, code: 'PROTOCOL_ERROR' };
}

const MAX_TOKEN = 64;
const BLANK_OR_CONTROL = /[\x00-\x20\x7f]/;

function isToken(text: string): boolean {
  return text.length > 0 && text.length <= MAX_TOKEN && isAll(text, TOKEN);
}

export function isHeadFault(head: Http2RequestHead | Http2ResponseHead | HeadFault): head is HeadFault {
  return 'reason' in head;
}

/** What is wrong with a section before its meaning is looked at. */
function sectionFault(section: FieldSection): HeadFault | undefined {
  if (section.malformed !== '') return malformed(section.malformed);
  if (section.tooMany) return tooMany;
  return section.tooLarge ? tooLarge : undefined;
}

/** The head of a request. `allowProtocol`: we announced SETTINGS_ENABLE_CONNECT_PROTOCOL. */
export function readRequestHead(section: FieldSection, allowProtocol: boolean): Http2RequestHead | HeadFault {
  const { method = '', protocol = '', headers, contentLength } = section;
  const fault =
    sectionFault(section) ??
    requestFault(section, allowProtocol) ??
    (method === 'CONNECT' && protocol === '' ? connectFault(section) : targetFault(section, method)) ??
    authorityFault(section);
  if (fault !== undefined) return fault;
  const authority = section.authority ?? headers.get('host') ?? '';
  if (headers.has('host')) headers.remove('host');
  const scheme = (section.scheme ?? '') as Http2RequestHead['scheme'];
  return { method, scheme, authority, pathAndQuery: section.path ?? '', protocol, headers, contentLength };
}

function requestFault(
  { method = '', protocol, status, contentLength }: FieldSection,
  allowProtocol: boolean,
): HeadFault | undefined {
  if (status !== undefined) return malformed(':status in a request');
  if (!isToken(method)) return malformed(':method missing or no token');
  // What follows is a tunnel, whose bytes nobody may count as content (RFC 9110 §9.3.6).
  if (method === 'CONNECT' && contentLength >= 0) return malformed('content-length in CONNECT');
  if (protocol === undefined) return undefined;
  if (!allowProtocol) return malformed(':protocol was not asked for');
  return method === 'CONNECT' && isToken(protocol) ? undefined : malformed(':protocol out of place');
}

function targetFault({ scheme, path = '' }: FieldSection, method: string): HeadFault | undefined {
  if (scheme !== 'http' && scheme !== 'https') return malformed(':scheme missing or unknown');
  if (path === '*' && method === 'OPTIONS') return undefined;
  if (path.charCodeAt(0) !== 0x2f) return malformed(':path missing or without a slash in front');
  if (isAll(path, TARGET)) return undefined;
  return BLANK_OR_CONTROL.test(path)
    ? malformed(':path with a blank')
    : notServed(':path with # or a byte beyond ASCII');
}

/** §8.5. */
function connectFault({ scheme, path, authority }: FieldSection): HeadFault | undefined {
  if (scheme !== undefined || path !== undefined) return malformed(':scheme or :path in CONNECT');
  return authority === undefined ? malformed(':authority missing in CONNECT') : undefined;
}

/** `:authority` and Host name one place (§8.3.1), and one of them is there. */
function authorityFault({ authority, headers }: FieldSection): HeadFault | undefined {
  const hostAt = headers.indexOf('host');
  const host = hostAt < 0 ? undefined : (headers.values[hostAt] as string);
  const named = authority ?? host;
  if (named === undefined) return malformed(':authority and host missing');
  if (named === '' || !isAll(named, AUTHORITY)) return malformed('bad :authority');
  if (host === undefined) return undefined;
  if (host !== named && host.toLowerCase() !== named.toLowerCase())
    return notServed(':authority and host differ');
  return headers.getAll('host').length > 1 ? notServed('host twice') : undefined;
}

/** The head of a response. A fault's `status` means nothing here. */
export function readResponseHead(section: FieldSection): Http2ResponseHead | HeadFault {
  const { headers, contentLength, status = '' } = section;
  const fault = sectionFault(section);
  if (fault !== undefined) return fault;
  if (hasRequestPseudo(section)) return malformed('pseudo-field of a request in a response');
  // There is no 101 in HTTP/2 (§8.6).
  if (!/^[1-5]\d\d$/.test(status) || status === '101') return malformed(':status missing or wrong');
  return { status: Number(status), headers, contentLength };
}

function hasRequestPseudo({ method, scheme, authority, path, protocol }: FieldSection): boolean {
  return (method ?? scheme ?? authority ?? path ?? protocol) !== undefined;
}

/** Why a trailer section is refused (§8.1). A fault's `status` means nothing here: the answer may have begun. */
export function trailerFault(section: FieldSection): HeadFault | undefined {
  const fault = sectionFault(section);
  if (fault !== undefined) return fault;
  if (section.hasPseudo) return malformed('pseudo-field in trailers');
  return section.contentLength >= 0 ? malformed('content-length in trailers') : undefined;
}
