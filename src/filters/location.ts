import { formatAuthority } from './authority.ts';
import type { FilterRequest, LocalAnswer } from './filter.ts';

/** Everything but the characters that RFC 3986 lets stand in a URI. */
const NOT_IN_URI = /[^!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]/g;

/** An absolute or relative reference, cut to the characters of a URI: no byte of a request can end the header. */
export function encodeLocation(text: string): string {
  return text.replace(NOT_IN_URI, (character) => encodeByte(character.charCodeAt(0)));
}

/** Where the client is sent: always an absolute URL, so that no path can be taken for a host. */
export interface Target {
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  /** Starts with '/'. */
  readonly path: string;
  /** With its leading '?', or ''. */
  readonly query: string;
}

/** A redirect to `target`. A request without Host (HTTP/1.0) that goes to no other host gets a relative one. */
export function redirectTo(target: Target, status: number): LocalAnswer {
  const { scheme, host, port, path, query } = target;
  const origin = host === '' ? '' : `${scheme}://${formatAuthority(scheme, host, port)}`;
  return redirectAnswer(`${origin}${path}${query}`, status);
}

export function redirectAnswer(location: string, status: number): LocalAnswer {
  return { status, headers: [['Location', encodeLocation(location)]], body: '' };
}

/** The target that the request already has. */
export function currentTarget({ scheme, host, port, path, query }: FilterRequest): Target {
  return { scheme, host, port, path, query };
}

/** Values are latin1, one character a byte; anything else cannot come from the wire and is encoded as its low byte. */
function encodeByte(code: number): string {
  return `%${(code & 0xff).toString(16).toUpperCase().padStart(2, '0')}`;
}
