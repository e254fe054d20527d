import { isIP, isIPv4 } from 'node:net';

/** undefined when the text is right, else what is wanted instead, as the end of a message. */
export type TextCheck = (text: string) => string | undefined;

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const labelPattern = new RegExp(`^${label}$`);
const subdomainPattern = new RegExp(`^${label}(?:\\.${label})*$`);
/** As the API server's object names: single labels are not held to 63 characters. */
const objectNamePattern = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/;
const portNamePattern = /^(?!.*--)(?=.*[a-z])[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?$/;
const kindPattern = /^[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?$/;
/** RFC 9110 §5.6.2. */
const tokenPattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const controlPattern = /[\u0000-\u001f\u007f]/;

/** RFC 1123 label, as names of Services and Namespaces. */
export const dnsLabel: TextCheck = (text) =>
  labelPattern.test(text) ? undefined : 'a DNS label (lower-case letters, digits and hyphens, at most 63)';

/** RFC 1123 subdomain of at most 253 characters, as most object names. */
export const objectName: TextCheck = (text) =>
  text.length <= 253 && objectNamePattern.test(text)
    ? undefined
    : 'a DNS subdomain (lower-case letters, digits, hyphens and dots, at most 253)';

/** An exact host, or `*.` and a host. No address, no port, no upper case. */
export const hostPattern: TextCheck = (text) => {
  const host = text.startsWith('*.') ? text.slice(2) : text;
  if (isIP(text.replace(/^\[|\]$/g, '')) !== 0) return 'a DNS name, not an address';
  if (/:\d*$/.test(text)) return 'a host without a port';
  if (text !== text.toLowerCase()) return 'a host in lower case';
  return text.length <= 253 && isDnsName(host) ? undefined : 'a DNS name, or *. followed by one';
};

/** A DNS name in lower case; one dot at the end is allowed. */
export const dnsName: TextCheck = (text) =>
  isDnsName(text.replace(/\.$/, '')) ? undefined : 'a DNS name in lower case';

/** A DNS name in lower case, or an address: what a certificate is for. */
export const hostName: TextCheck = (text) =>
  isIP(text) !== 0 || isDnsName(text) ? undefined : 'a DNS name in lower case, or an address';

/** What an absolute URL of the web looks like; visible ASCII, so that it can stand in a header field. */
export const webUrlPattern = '[Hh][Tt][Tt][Pp][Ss]?://[!-~]+';
const wholeWebUrl = new RegExp(`^${webUrlPattern}$`);

export const webUrl: TextCheck = (text) =>
  wholeWebUrl.test(text) && URL.canParse(text) ? undefined : 'an absolute http or https URL of visible ASCII';

/** Names of gRPC's services and methods, as protocol buffers spell them. */
export const grpcServicePattern = '[A-Za-z_][A-Za-z0-9_]*([.][A-Za-z_][A-Za-z0-9_]*)*';
export const grpcMethodPattern = '[A-Za-z_][A-Za-z0-9_]*';
const wholeGrpcService = new RegExp(`^${grpcServicePattern}$`);
const wholeGrpcMethod = new RegExp(`^${grpcMethodPattern}$`);

/** A gRPC service with its package, as in `shop.v1.Cart`. */
export const grpcService: TextCheck = (text) =>
  wholeGrpcService.test(text) ? undefined : 'a gRPC service with its package, as in shop.v1.Cart';

export const grpcMethod: TextCheck = (text) =>
  wholeGrpcMethod.test(text) ? undefined : 'a gRPC method, as in AddItem';

/** Names and operators of OpenSSL's cipher lists (ciphers(1)). */
export const cipherListPattern = '[A-Za-z0-9_+!@=:,. -]+';
const wholeCipherList = new RegExp(`^${cipherListPattern}$`);

/** Cipher suites in OpenSSL's notation, by their spelling only. */
export const cipherList: TextCheck = (text) =>
  wholeCipherList.test(text) ? undefined : "cipher suites in OpenSSL's notation, with colons between";

function isDnsName(text: string): boolean {
  return text.length <= 253 && subdomainPattern.test(text);
}

/** Name of a kind, as in `Ingress`. */
export const kindName: TextCheck = (text) => (kindPattern.test(text) ? undefined : 'a kind, as in Ingress');

/** IANA service name (RFC 6335), as names of ports. */
export const portName: TextCheck = (text) =>
  portNamePattern.test(text)
    ? undefined
    : 'a port name (at most 15 lower-case letters, digits and single hyphens, one letter at least)';

/** Starts with a slash and can be part of a request target at all. */
export const rootedPath: TextCheck = (text) => {
  if (!text.startsWith('/')) return "a path that starts with '/'";
  return controlPattern.test(text) ? 'a path without control characters' : undefined;
};

/** As the API server asks of `Exact` and `Prefix`: a path in normal form, which is what requests are matched by. */
export const normalPath: TextCheck = (text) => {
  const found = ['//', '/./', '/../', '%2f', '%2F'].find((part) => text.includes(part));
  if (found !== undefined) return `a path without ${quoted(found)}`;
  const end = ['/.', '/..'].find((part) => text.endsWith(part));
  return end === undefined ? rootedPath(text) : `a path that does not end in ${quoted(end)}`;
};

/** No line breaks, NUL or other control characters. */
export const plainText: TextCheck = (text) =>
  controlPattern.test(text) ? 'a text without control characters' : undefined;

/** RFC 9110 token, as names of header fields and cookies. */
export const token: TextCheck = (text) =>
  tokenPattern.test(text) ? undefined : 'a name of letters, digits and hyphens (an RFC 9110 token)';

/** A request method. Methods are case-sensitive; lower-case ones are always a slip. */
export const method: TextCheck = (text) =>
  tokenPattern.test(text) && text === text.toUpperCase() ? undefined : 'a method in upper case, as in GET';

/** `10.0.0.0/8`, `2001:db8::/32`, or one address. */
export const addressRange: TextCheck = (text) => {
  const wanted = 'an address or a range such as 10.0.0.0/8';
  const [address = '', bits, ...rest] = text.split('/');
  if (isIP(address) === 0 || address.includes('%') || rest.length > 0) return wanted;
  if (bits === undefined) return undefined;
  const max = isIPv4(address) ? 32 : 128;
  return /^(?:0|[1-9]\d{0,2})$/.test(bits) && Number(bits) <= max
    ? undefined
    : `a prefix length from 0 to ${max}`;
};

const durationPattern = /^(?:\d{1,5}(?:h|ms|m|s)){1,4}$/;
const unitMs = new Map([
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]);

/** A duration as Gateway API writes them (GEP-2257): `10s`, `250ms`, `1m30s`. */
export const duration: TextCheck = (text) =>
  durationPattern.test(text) ? undefined : 'a duration such as 10s, 250ms or 1m30s';

/** Milliseconds of a text that `duration` accepts. */
export function parseDurationMs(text: string): number {
  let total = 0;
  for (const [, count, unit] of text.matchAll(/(\d+)(h|ms|m|s)/g)) {
    total += Number(count) * (unitMs.get(unit ?? '') ?? 0);
  }
  return total;
}

function quoted(text: string): string {
  return `'${text}'`;
}
