import type { LocalAnswer } from '../filters/filter.ts';
import { CHALLENGES } from '../filters/https-redirect.ts';
import type { PathMatch } from '../table/route-table.ts';
import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { Client } from './client.ts';
import type { LinkedClientAuth } from './linked-client-auth.ts';
import type { LinkedRoute } from './linked-table.ts';
import type { ProxyRequest } from './proxy-request.ts';
import type { ClientIdentity } from './tls/client-identity.ts';

// Client certificates, request by request: what a host asks for in the table in force against what the handshake showed.
// Handshakes refuse nobody, so that clients can be told why; here is where it is decided. No sockets.

/** Tell the upstream about the client's certificate (ingress-nginx's names). */
const VERIFY = 'ssl-client-verify';
const SUBJECT = 'ssl-client-subject-dn';
const ISSUER = 'ssl-client-issuer-dn';
const CERTIFICATE = 'ssl-client-cert';

/**
 * Why a request over TLS is refused for what its client showed. Otherwise undefined, and the upstream is told. Plain HTTP
 * passes here: `plainHttpVerdict` follows once the route is known.
 */
export function admitClient(
  auth: LinkedClientAuth | undefined,
  { transport, identity }: Client,
  { headers }: ProxyRequest,
): ErrorCodeName | undefined {
  if (auth === undefined || transport === 'http') return undefined;
  const refusal = judgeCertificate(auth, identity);
  if (refusal === undefined && identity !== undefined) tellUpstream(auth, identity, headers);
  return refusal;
}

/**
 * Whether what a handshake showed is enough for a host. `identity` is undefined when no certificate was asked for: the
 * handshake named a host that asks for none, or no host.
 */
export function judgeCertificate(
  auth: LinkedClientAuth,
  identity: ClientIdentity | undefined,
): ErrorCodeName | undefined {
  const { mode, commonName } = auth;
  if (mode === 'closed') return 'SP_CLIENT_AUTH_CLOSED';
  if (identity === undefined || identity.policy !== auth.policy) return 'SP_MISDIRECTED';
  const { verdict } = identity;
  if (verdict === 'failed' || (verdict === 'stranger' && mode !== 'optional-no-ca'))
    return 'SP_CLIENT_CERT_INVALID';
  if (verdict === 'none' && mode === 'on') return 'SP_CLIENT_CERT_MISSING';
  // As in ingress-nginx, a client without a certificate has no name that could match.
  if (commonName !== undefined && !identity.commonNames.some((name) => commonName.occursIn(name)))
    return 'SP_CLIENT_CERT_FORBIDDEN';
  return undefined;
}

/**
 * What becomes of plain HTTP to a host that asks for certificates: the redirect to HTTPS of its route, or an error. Undefined
 * for requests over TLS, and for a route that is there for challenges (RFC 8555 §8.3), which authorities fetch like that.
 */
export function plainHttpVerdict(
  request: ProxyRequest,
  route: LinkedRoute | undefined,
): LocalAnswer | ErrorCodeName | undefined {
  if (request.transport === 'https') return undefined;
  if (isForChallenges(route?.route.path)) return undefined;
  for (const filter of route?.requestFilters ?? []) {
    const answer = filter.plainOnly === true ? filter.onRequest?.(request) : undefined;
    if (answer !== undefined && !(answer instanceof Promise)) return answer;
  }
  return 'SP_TLS_REQUIRED';
}

/** Whether a route is there for challenges and nothing else. */
export function isForChallenges(path: PathMatch | undefined): boolean {
  if (path === undefined || path.type === 'regex') return false;
  return path.value === CHALLENGES || path.value.startsWith(`${CHALLENGES}/`);
}

/** Where a client is sent whose certificate is missing or not good, as ingress-nginx does; undefined: it gets the error. */
export function certificateErrorAnswer(
  code: ErrorCodeName,
  auth: LinkedClientAuth | undefined,
): LocalAnswer | undefined {
  if (auth === undefined || auth.errorPage === '') return undefined;
  if (code !== 'SP_CLIENT_CERT_MISSING' && code !== 'SP_CLIENT_CERT_INVALID') return undefined;
  return { status: 302, headers: [['Location', auth.errorPage]], body: '' };
}

/** What a proxy before us said of its own client, believed or not, is taken off: here we know better. */
function tellUpstream(auth: LinkedClientAuth, identity: ClientIdentity, headers: HeaderList): void {
  for (const name of [VERIFY, SUBJECT, ISSUER, CERTIFICATE]) headers.remove(name);
  headers.append(VERIFY, identity.verification);
  if (identity.verdict === 'none') return;
  // An empty field would not say more than none.
  if (identity.subject !== '') headers.append(SUBJECT, identity.subject);
  if (identity.issuer !== '') headers.append(ISSUER, identity.issuer);
  if (auth.passCertificate) headers.append(CERTIFICATE, identity.certificate);
}
