import type { RequestHead } from '../http1/message-head.ts';
import type { HeaderList } from '../util/header-list.ts';
import { clientAddress } from './client-address.ts';
import type { TrustedProxies } from './client-address.ts';
import type { ProxyRequest } from './proxy-request.ts';
import { isUsableRequestId } from './request-id.ts';
import type { RequestIds } from './request-id.ts';

// The fields of a request on its way upstream: what is taken off, what is believed, what is added
// (ingress-nginx's set; RFC 9110 §7.6.1 for hop-by-hop fields).

/** `hop`: this connection's business. `own`: written by us alone; the client's word counts only from trusted proxies. */
const roles: ReadonlyMap<string, 'hop' | 'own'> = new Map([
  ...(
    [
      'connection',
      'keep-alive',
      'proxy',
      'proxy-authenticate',
      'proxy-authorization',
      'proxy-connection',
      'te',
      'trailer',
      'transfer-encoding',
      'content-length',
      'upgrade',
      'http2-settings',
      'expect',
      'host',
    ] as const
  ).map((name) => [name, 'hop'] as const),
  ...(
    [
      'forwarded',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-port',
      'x-forwarded-prefix',
      'x-forwarded-proto',
      'x-forwarded-scheme',
      'x-forwarded-server',
      'x-original-forwarded-for',
      'x-real-ip',
      'x-request-id',
      'x-scheme',
      'x-sallyport-hops',
    ] as const
  ).map((name) => [name, 'own'] as const),
]);

/** Fields that a `Connection` token cannot take away: identity must not vanish on a client's word. */
const protectedFields: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'content-type',
  'content-encoding',
  'range',
]);

/** A request that has passed this many of our own kind is in a loop. */
export const MAX_HOPS = 10;

export interface FieldPolicy {
  readonly trusted: TrustedProxies;
  readonly appendForwardedFor: boolean;
  readonly allowUnderscores: boolean;
  readonly requestIds: RequestIds;
}

/** What the client said about itself and earlier proxies, taken off the head before anything else sees it. */
export interface ClaimedFields {
  forwardedFor: readonly string[];
  forwardedHost: string | undefined;
  forwardedPort: string | undefined;
  forwardedProto: string | undefined;
  trailersAccepted: boolean;
  hops: number;
}

/**
 * Reads the claims of a head, then takes off, in place, every field that must not go upstream as it came.
 * Sets the request's client address and id.
 */
export function takeClaims(
  head: RequestHead,
  request: ProxyRequest,
  peer: string,
  policy: FieldPolicy,
): ClaimedFields {
  const { headers } = head;
  const believed = !policy.trusted.isEmpty && policy.trusted.trusts(peer);
  const forwardedFor = headers.has('x-forwarded-for') ? headers.getAll('x-forwarded-for') : noValues;
  const requestId = headers.get('x-request-id');
  const claims: ClaimedFields = {
    forwardedFor,
    forwardedHost: believed ? headers.get('x-forwarded-host') : undefined,
    forwardedPort: believed ? headers.get('x-forwarded-port') : undefined,
    forwardedProto: believed ? headers.get('x-forwarded-proto') : undefined,
    trailersAccepted: acceptsTrailers(headers.get('te')),
    hops: countHops(headers.get('x-sallyport-hops')),
  };
  request.clientAddress = believed ? clientAddress(peer, forwardedFor, policy.trusted) : peer;
  request.requestId =
    requestId !== undefined && isUsableRequestId(requestId) ? requestId : policy.requestIds.create();
  dropFields(headers, head.connectionTokens, policy.allowUnderscores);
  return claims;
}

const noValues: readonly string[] = [];

/** Adds the forwarding fields. Comes after `takeClaims`, before filters. Host, framing and Connection are the writer's. */
export function addForwardingFields(
  request: ProxyRequest,
  peer: string,
  claims: ClaimedFields,
  policy: FieldPolicy,
): void {
  const { headers, clientAddress: client, scheme } = request;
  const proto =
    claims.forwardedProto === 'https' || claims.forwardedProto === 'http' ? claims.forwardedProto : scheme;
  headers.push('X-Request-ID', 'x-request-id', request.requestId);
  headers.push('X-Real-IP', 'x-real-ip', client);
  headers.push('X-Forwarded-For', 'x-forwarded-for', forwardedFor(peer, client, claims, policy));
  headers.push('X-Forwarded-Host', 'x-forwarded-host', claims.forwardedHost ?? request.authority);
  headers.push('X-Forwarded-Port', 'x-forwarded-port', claims.forwardedPort ?? String(request.port));
  headers.push('X-Forwarded-Proto', 'x-forwarded-proto', proto);
  headers.push('X-Forwarded-Scheme', 'x-forwarded-scheme', proto);
  headers.push('X-Scheme', 'x-scheme', scheme);
  if (claims.forwardedFor.length > 0) {
    headers.push('X-Original-Forwarded-For', 'x-original-forwarded-for', claims.forwardedFor.join(', '));
  }
  headers.push('X-Sallyport-Hops', 'x-sallyport-hops', claims.hops === 0 ? '1' : String(claims.hops + 1));
  if (claims.trailersAccepted) headers.push('TE', 'te', 'trailers');
}

function forwardedFor(peer: string, client: string, claims: ClaimedFields, policy: FieldPolicy): string {
  if (!policy.appendForwardedFor || claims.forwardedFor.length === 0 || !policy.trusted.trusts(peer))
    return client;
  return `${claims.forwardedFor.join(', ')}, ${peer}`;
}

/** Takes off hop-by-hop and claimed fields, everything that Connection names, and names with underscores. */
function dropFields(headers: HeaderList, tokens: readonly string[], allowUnderscores: boolean): void {
  const { lower, length } = headers;
  let kept = 0;
  for (let index = 0; index < length; index++) {
    const name = lower[index] as string;
    if (roles.has(name)) continue;
    if (tokens.length > 0 && tokens.includes(name) && !protectedFields.has(name)) continue;
    if (name.includes('_') && (!allowUnderscores || roles.has(name.replaceAll('_', '-')))) continue;
    headers.place(index, kept++);
  }
  headers.truncate(kept);
}

function acceptsTrailers(te: string | undefined): boolean {
  return (
    te !== undefined &&
    te
      .toLowerCase()
      .split(',')
      .some((part) => part.trim() === 'trailers')
  );
}

function countHops(value: string | undefined): number {
  if (value === undefined) return 0;
  const hops = Number(value);
  // A value that is not ours is no licence to loop.
  return Number.isInteger(hops) && hops >= 0 ? hops : MAX_HOPS;
}
