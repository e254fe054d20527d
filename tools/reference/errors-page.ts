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

/** docs/reference/errors.md */
export function errorsPage(): string {
  const rows = Object.entries(errorCodes).map(([name, { status }]) => [
    code(name),
    status === 0 ? 'none' : String(status),
    meanings[name as ErrorCodeName],
  ]);
  const intro =
    'Why a request was answered by Sallyport itself. Codes are stable; they stand in the access log and in metrics, ' +
    'never in the answer. Statuses that an endpoint sent are passed on and have no code.';
  return `${pageHead('Errors at request time', intro)}\n${table(['Code', 'Status', 'Meaning'], rows)}`;
}
