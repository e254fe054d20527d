import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import { HeaderList } from '../util/header-list.ts';
import { isPathFault, normalizePath } from '../util/url-path.ts';
import type { MatchRequest } from './linked-table.ts';
import { normalizeAuthority, normalizeTarget } from './normalise.ts';

/** A request as somebody types it. */
export interface ExplainRequest {
  readonly method: string;
  /** `http://host[:port]/path?query`; without a scheme it is http. A fragment is left out, as a browser does. */
  readonly url: string;
  /** A `Host` field takes the place of the URL's host. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The address that source ranges and sticky splits see. */
  readonly clientAddress: string;
  readonly allowEncodedSlashes?: boolean;
}

export interface ReadRequest {
  readonly request: MatchRequest & {
    readonly scheme: 'http' | 'https';
    readonly authority: string;
    readonly port: number;
  };
  /** Set when the proxy refuses such a request. */
  readonly fault: { readonly code: ErrorCodeName; readonly reason: string } | undefined;
}

const URL_PARTS = /^(?:(https?):\/\/)?([^/?#]*)([^#]*)/i;

/** Normalises as the proxy does. */
export function readExplainRequest(asked: ExplainRequest): ReadRequest {
  const [, scheme = 'http', urlHost = '', pathAndQuery = ''] = URL_PARTS.exec(asked.url) ?? [];
  const headers = new HeaderList();
  for (const [name, value] of asked.headers) headers.append(name, value);
  const authority = headers.get('host') ?? urlHost;
  headers.remove('host');
  const request = {
    scheme: scheme.toLowerCase() === 'https' ? ('https' as const) : ('http' as const),
    method: asked.method,
    host: authority,
    port: 0,
    authority,
    path: pathAndQuery,
    query: '',
    headers,
    clientAddress: asked.clientAddress,
  };
  if (!normalizeAuthority(authority, request)) {
    return { request, fault: { code: 'SP_BAD_HOST', reason: `${JSON.stringify(authority)} is not a host` } };
  }
  const allowEncodedSlashes = asked.allowEncodedSlashes === true;
  if (!normalizeTarget(pathAndQuery, request, allowEncodedSlashes)) {
    const [path = ''] = pathAndQuery.split('?', 1);
    const fault = normalizePath(path, { allowEncodedSlashes });
    const reason = isPathFault(fault) ? fault.reason : 'it cannot be normalised';
    return { request, fault: { code: 'SP_BAD_PATH', reason: `the path is refused: ${reason}` } };
  }
  return { request, fault: undefined };
}
