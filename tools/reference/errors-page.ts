import { errorCodes } from '../../src/telemetry/error-codes.ts';
import type { ErrorCodeName } from '../../src/telemetry/error-codes.ts';
import { code, pageHead, table } from './markdown.ts';

/** What happened, for whoever reads logs and metrics. The client is told the status only. */
const meanings: Readonly<Record<ErrorCodeName, string>> = {
  SP_BAD_REQUEST: 'The request head breaks the grammar of HTTP.',
  SP_BAD_HOST: 'Host is missing, given twice, disagrees with the target, or is no host.',
  SP_BAD_PATH:
    'The path cannot be brought to normal form: encoded slash, backslash, control character, bad escape.',
  SP_BAD_FRAMING: 'Content-Length and Transfer-Encoding contradict each other or themselves.',
  SP_BAD_CHUNK: 'A chunk of the body breaks the grammar of chunked coding.',
  SP_CLIENT_TRUNCATED: 'The client closed the connection before its request was complete.',
  SP_NO_ROUTE: 'No route holds for this host, path and conditions.',
  SP_METHOD_NOT_ALLOWED: 'CONNECT and TRACE are not served.',
  SP_CLIENT_TIMEOUT: 'The request did not arrive in time.',
  SP_BODY_TOO_LARGE: 'The request body is larger than the limit.',
  SP_URI_TOO_LONG: 'The request line is longer than the limit.',
  SP_EXPECTATION: 'Expect asks for something other than 100-continue.',
  SP_HEAD_TOO_LARGE: 'The request head has more bytes or fields than the limit.',
  SP_CLIENT_GONE: 'The client went away before the answer began; 499 stands in logs and metrics only.',
  SP_INTERNAL: 'A fault in Sallyport; the log has the cause.',
  SP_NOT_IMPLEMENTED: 'A transfer coding that Sallyport does not speak.',
  SP_UPSTREAM_CONNECT: 'No connection to an endpoint could be made.',
  SP_UPSTREAM_RESET: 'The endpoint closed the connection before it answered.',
  SP_UPSTREAM_PROTOCOL: 'The answer of the endpoint breaks the grammar of HTTP or a limit.',
  SP_UPSTREAM_TRUNCATED: 'The endpoint closed the connection in the middle of its answer.',
  SP_NO_ENDPOINTS: 'The Service has no ready endpoint.',
  SP_ROUTE_INVALID: 'The route has a fault and fails closed; its object carries the diagnostic.',
  SP_OVERLOADED: 'A limit of this process was reached.',
  SP_UPSTREAM_CONNECT_TIMEOUT: 'Connecting to the endpoint took too long.',
  SP_UPSTREAM_TIMEOUT: 'The endpoint sent or took no byte for too long.',
  SP_REQUEST_TIMEOUT: 'The whole exchange took longer than the route allows.',
  SP_VERSION: 'A version of HTTP other than 1.0 and 1.1.',
  SP_LOOP: 'The request passed through here too often: a route leads back to Sallyport.',
  SP_CLIENT_SLOW: 'The client took nothing of a waiting answer for too long and was dropped.',
  SP_ENDPOINTS_BUSY: 'Every endpoint has as many requests at a time as its BackendPolicy allows.',
  SP_MISDIRECTED:
    'The handshake of this connection was for another host, or before a change, and was not held to what this host asks of clients.',
  SP_CLIENT_CERT_MISSING: 'The host asks for a certificate of the client, and there was none.',
  SP_CLIENT_CERT_INVALID:
    'The certificate of the client is expired, revoked, for another purpose, or not signed by whom the host believes.',
  SP_CLIENT_CERT_FORBIDDEN:
    'The common name of the certificate of the client is not one that the host lets in.',
  SP_CLIENT_AUTH_CLOSED:
    'What the host holds certificates of clients to is missing or unreadable; its object carries the diagnostic.',
  SP_TLS_REQUIRED: 'Plain HTTP to a host that asks for certificates, where no redirect to HTTPS answers.',
  SP_UPSTREAM_TLS:
    'No TLS with the endpoint: its certificate is not valid for the name that is asked of it, the handshake failed, or what the upstream is to show or to believe is missing.',
};

/** Where to look, and what to change. Flags and fields are named where there are some. */
const remedies: Readonly<Record<ErrorCodeName, string>> = {
  SP_BAD_REQUEST:
    'Correct the client; `error_detail` says which rule it breaks. HTTP/2 in plain text (`HTTP/2 preface`) needs `--enable-h2c`.',
  SP_BAD_HOST:
    'Have the client send one Host field with a host name, the same as in its target or `:authority`.',
  SP_BAD_PATH: 'Correct the client, or let `%2F` and `%5C` pass with `--allow-encoded-slashes`.',
  SP_BAD_FRAMING: 'Correct the client or the proxy before it: one of the two fields, once, with one value.',
  SP_BAD_CHUNK: 'Correct the client; it sends bodies in chunks of its own making.',
  SP_CLIENT_TRUNCATED:
    'Nothing, if clients leave now and then; else look at timeouts of the client and of what is before Sallyport.',
  SP_NO_ROUTE:
    '`sallyport explain URL` says what came closest; `sallyport routes --host HOST` what there is.',
  SP_METHOD_NOT_ALLOWED: 'Use another method; a WebSocket over HTTP/2 needs `:protocol`.',
  SP_CLIENT_TIMEOUT:
    'Look at the network of the client; `--client-header-timeout`, `--client-body-min-rate`.',
  SP_BODY_TOO_LARGE: 'Send less, or raise `--proxy-body-size`.',
  SP_URI_TOO_LONG: 'Send less in the URL, or raise `--request-line-size`.',
  SP_EXPECTATION: 'Leave the field Expect out.',
  SP_HEAD_TOO_LARGE:
    'Send fewer or shorter fields (mostly cookies), or raise `--request-head-size` or `--request-fields`.',
  SP_CLIENT_GONE:
    'Nothing, if clients leave now and then; if it is all of them, the upstream is slower than they wait.',
  SP_INTERNAL: 'Report it, with the lines of the log around it.',
  SP_NOT_IMPLEMENTED: 'Send the body with Content-Length or in chunks.',
  SP_UPSTREAM_CONNECT:
    'Look whether something listens on the port of the endpoint in `upstream_addr`, and whether a NetworkPolicy forbids it.',
  SP_UPSTREAM_RESET:
    'Look at the log of the endpoint in `upstream_addr`: it crashed, is overloaded, or speaks another protocol than `backend-protocol` says (TLS, HTTP/2).',
  SP_UPSTREAM_PROTOCOL:
    'Compare `backend-protocol` or the BackendPolicy with what the endpoint speaks; `error_detail` says what was wrong. `--response-head-size`, `--response-fields`.',
  SP_UPSTREAM_TRUNCATED: 'Look at the log of the endpoint in `upstream_addr`.',
  SP_NO_ENDPOINTS:
    '`kubectl get endpointslices`: pods that are not ready, a selector or port name that is wrong; `sallyport backends`.',
  SP_ROUTE_INVALID:
    '`sallyport check` or `kubectl describe` of the object in `route` names the field and what is wanted.',
  SP_OVERLOADED: 'Add replicas, or raise the limit that `error_detail` names.',
  SP_UPSTREAM_CONNECT_TIMEOUT:
    'Look whether pod addresses can be reached from here; `proxy-connect-timeout`.',
  SP_UPSTREAM_TIMEOUT:
    'Look at the endpoint, or give it more time: `proxy-read-timeout`, `proxy-send-timeout`, `timeouts` of a Route or BackendPolicy.',
  SP_REQUEST_TIMEOUT:
    'Look at the endpoint, or raise `timeouts.request`; of a call of gRPC, the client chose the time.',
  SP_VERSION: 'Speak HTTP/1.1; HTTP/2 in plain text needs `--enable-h2c`.',
  SP_LOOP: 'Find the Service or ExternalName behind `route` that leads back to Sallyport.',
  SP_CLIENT_SLOW: 'Nothing, if clients are slow now and then; `--client-write-timeout`.',
  SP_ENDPOINTS_BUSY: 'Add endpoints, or raise `connections.maxRequests` of the BackendPolicy.',
  SP_MISDIRECTED:
    'Browsers open another connection by themselves; other clients have to name the host in the handshake too (SNI).',
  SP_CLIENT_CERT_MISSING:
    'Give the client a certificate (`curl --cert … --key …`), or make it optional: `auth-tls-verify-client`.',
  SP_CLIENT_CERT_INVALID:
    '`error_detail` says what is wrong with it. Compare its issuer with `ca.crt` of the Secret, its chain with `auth-tls-verify-depth`.',
  SP_CLIENT_CERT_FORBIDDEN:
    'Compare the subject in `error_detail` with `auth-tls-match-cn` or `matchCommonName`.',
  SP_CLIENT_AUTH_CLOSED:
    '`sallyport check` or `kubectl describe` of the object of the host: create or correct the Secret.',
  SP_TLS_REQUIRED:
    'Use https, or list the host under `tls` and leave `ssl-redirect` on, so that clients are sent there.',
  SP_UPSTREAM_TLS:
    '`error_detail` says what failed: an expired certificate is renewed at the endpoint, an unknown authority goes into `ca.crt` (`proxy-ssl-secret`, `tls.caSecretName`), another name into `proxy-ssl-name` or `tls.hostname`.',
};

/** docs/reference/errors.md */
export function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([name, { status }]) => [
    code(name),
    status === 0 ? 'none' : String(status),
    meanings[name as ErrorCodeName],
    remedies[name as ErrorCodeName],
  ]);
  const intro =
    'Why a request was answered by Sallyport itself. Codes are stable; they stand in the access log and in metrics, ' +
    'never in the answer. Statuses that an endpoint sent are passed on and have no code. The names in the last column, such as ' +
    '`error_detail` and `upstream_addr`, are members of the line in the access log; `X-Request-ID` of an answer finds it there.';
  return `${pageHead('Errors at request time', intro)}\n${table(['Code', 'Status', 'Meaning', 'What to do'], rows)}`;
}
