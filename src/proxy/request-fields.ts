import type { RequestHead } from '../http1/message-head.ts';
import { clientAddress } from './client-address.ts';
import type { TrustedProxies } from './client-address.ts';
import type { ProxyRequest } from './proxy-request.ts';
import { isUsableRequestId } from './request-id.ts';
import type { RequestIds } from './request-id.ts';

// The fields of a request on its way upstream: what is taken off and what is believed (RFC 9110 §7.6.1 for hop-by-hop
// fields). What is added instead: forwarding-fields.ts.

/**
 * Every field that does not simply pass. `drop`: this connection's business, or written by us alone. `claim`: dropped
 * too, but read first. `id`: the request's id. `origin`: passes, and is kept for filters. `proof`: passes only from a proxy
 * that is believed, such as one that asks for certificates itself (RFC 9440 §2.4 for Client-Cert).
 */
const roles: ReadonlyMap<string, 'drop' | 'claim' | 'id' | 'origin' | 'proof'> = new Map([
  ['client-cert', 'proof'],
  ['client-cert-chain', 'proof'],
  ['connection', 'drop'],
  ['content-length', 'drop'],
  ['expect', 'drop'],
  ['forwarded', 'drop'],
  ['host', 'drop'],
  ['http2-settings', 'drop'],
  ['keep-alive', 'drop'],
  ['origin', 'origin'],
  ['proxy', 'drop'],
  ['proxy-authenticate', 'drop'],
  ['proxy-authorization', 'drop'],
  ['proxy-connection', 'drop'],
  ['ssl-client-cert', 'proof'],
  ['ssl-client-issuer-dn', 'proof'],
  ['ssl-client-subject-dn', 'proof'],
  ['ssl-client-verify', 'proof'],
  ['te', 'claim'],
  ['trailer', 'drop'],
  ['transfer-encoding', 'drop'],
  ['upgrade', 'drop'],
  ['x-client-cert', 'proof'],
  ['x-forwarded-client-cert', 'proof'],
  ['x-forwarded-for', 'claim'],
  ['x-forwarded-host', 'claim'],
  ['x-forwarded-port', 'claim'],
  ['x-forwarded-prefix', 'drop'],
  ['x-forwarded-proto', 'claim'],
  ['x-forwarded-scheme', 'drop'],
  ['x-forwarded-server', 'drop'],
  ['x-original-forwarded-for', 'drop'],
  ['x-real-ip', 'drop'],
  ['x-request-id', 'id'],
  ['x-sallyport-hops', 'claim'],
  ['x-scheme', 'drop'],
]);

/** Fields that a `Connection` token cannot take away: identity must not vanish on a client's word. */
const protectedFields: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'content-type',
  'content-encoding',
  'range',
]);

/** Hops of a count that is not ours: it must not be a licence to loop. */
const UNREADABLE_HOPS = 1_000_000;

export interface FieldPolicy {
  readonly trusted: TrustedProxies;
  readonly appendForwardedFor: boolean;
  readonly allowUnderscores: boolean;
  readonly requestIds: RequestIds;
}

/** What the client said about itself and earlier proxies, taken off the head before anything else sees it. */
export interface ClaimedFields {
  /** Values of X-Forwarded-For, believed or not. */
  readonly forwardedFor: string[];
  /** Undefined also when the peer is not to be believed. */
  forwardedHost: string | undefined;
  forwardedPort: string | undefined;
  forwardedProto: 'http' | 'https' | undefined;
  trailersAccepted: boolean;
  hops: number;
}

/**
 * Takes off, in place, every field that must not go upstream as it came, and returns what it claimed: undefined for the
 * usual request, which claims nothing. Sets the request's client address and id.
 */
export function takeClaims(
  head: RequestHead,
  request: ProxyRequest,
  peer: string,
  policy: FieldPolicy,
): ClaimedFields | undefined {
  const { headers, connectionTokens: tokens } = head;
  const { lower, values, length } = headers;
  const believed = !policy.trusted.isEmpty && policy.trusted.trusts(peer);
  let claims: ClaimedFields | undefined;
  let requestId: string | undefined;
  let kept = 0;
  for (let index = 0; index < length; index++) {
    const name = lower[index] as string;
    const role = roles.get(name);
    if (role === undefined) {
      if (passes(name, tokens, policy.allowUnderscores)) headers.place(index, kept++);
    } else if (role === 'id') {
      requestId ??= values[index];
    } else if (role === 'origin') {
      noteOrigin(request, values[index] as string);
      headers.place(index, kept++);
    } else if (role === 'claim') {
      claims ??= noClaims();
      noteClaim(claims, name, values[index] as string, believed);
    } else if (role === 'proof' && believed) {
      headers.place(index, kept++);
    }
  }
  headers.truncate(kept);
  request.clientAddress =
    believed && claims !== undefined ? clientAddress(peer, claims.forwardedFor, policy.trusted) : peer;
  request.requestId =
    requestId !== undefined && isUsableRequestId(requestId) ? requestId : policy.requestIds.create();
  return claims;
}

/** Whether a field without a role goes upstream: not when Connection names it, not as an alias of one that has a role. */
function passes(name: string, tokens: readonly string[], allowUnderscores: boolean): boolean {
  if (tokens.length > 0 && tokens.includes(name) && !protectedFields.has(name)) return false;
  return !name.includes('_') || (allowUnderscores && !roles.has(name.replaceAll('_', '-')));
}

/** Of several, none can be matched. */
function noteOrigin(request: ProxyRequest, value: string): void {
  request.origin = request.origin === '' ? value : `${request.origin}, ${value}`;
}

function noClaims(): ClaimedFields {
  return {
    forwardedFor: [],
    forwardedHost: undefined,
    forwardedPort: undefined,
    forwardedProto: undefined,
    trailersAccepted: false,
    hops: 0,
  };
}

function noteClaim(claims: ClaimedFields, name: string, value: string, believed: boolean): void {
  switch (name) {
    case 'x-forwarded-for':
      claims.forwardedFor.push(value);
      return;
    case 'x-sallyport-hops':
      claims.hops = Math.max(claims.hops, readHops(value));
      return;
    case 'te':
      claims.trailersAccepted ||= acceptsTrailers(value);
      return;
    default:
  }
  if (!believed) return;
  if (name === 'x-forwarded-host') claims.forwardedHost ??= value;
  else if (name === 'x-forwarded-port') claims.forwardedPort ??= value;
  else if (name === 'x-forwarded-proto' && (value === 'http' || value === 'https'))
    claims.forwardedProto ??= value;
}

function acceptsTrailers(te: string): boolean {
  if (te === 'trailers') return true;
  return te
    .toLowerCase()
    .split(',')
    .some((part) => part.trim() === 'trailers');
}

function readHops(value: string): number {
  return /^[0-9]{1,3}$/.test(value) ? Number(value) : UNREADABLE_HOPS;
}
