import type { IncomingHttpHeaders } from 'node:http';

import type { Json, Place } from './object-store.ts';

export type Verb = 'list' | 'watch' | 'get' | 'create' | 'update' | 'patch' | 'delete';

/** One request, as an API server reads it. */
export interface ReceivedRequest {
  readonly verb: Verb;
  readonly plural: string;
  /** `collection` without namespace and name; they are '' where the path has none. */
  readonly place: Place;
  readonly namespaced: boolean;
  readonly status: boolean;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Json | undefined;
  /** As it came, with the query. */
  readonly url: string;
}

const pathPattern =
  /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/))?\/([^/]+)(?:\/([^/]+))?(\/status)?$/;

/** undefined: a path that no API server has. */
export function readRequest(
  method: string,
  url: string,
  { headers, body }: { readonly headers: IncomingHttpHeaders; readonly body: Json | undefined },
): ReceivedRequest | undefined {
  const { pathname, searchParams: query } = new URL(url, 'http://api');
  const match = pathPattern.exec(pathname);
  if (match === null) return undefined;
  const [, group = '', namespace = '', plural = '', name = '', status] = match.map((part) =>
    part === undefined ? undefined : decodeURIComponent(part),
  );
  const place = { collection: `${group}/${plural}`, namespace, name };
  const verb = verbOf(method, name, query);
  return {
    verb,
    plural,
    place,
    namespaced: namespace !== '',
    status: status !== undefined,
    query,
    headers,
    body,
    url,
  };
}

function verbOf(method: string, name: string, query: URLSearchParams): Verb {
  if (method === 'GET') {
    if (name !== '') return 'get';
    return ['true', '1'].includes(query.get('watch') ?? '') ? 'watch' : 'list';
  }
  const verbs: Readonly<Record<string, Verb>> = {
    POST: 'create',
    PUT: 'update',
    PATCH: 'patch',
    DELETE: 'delete',
  };
  return verbs[method] ?? 'get';
}

/** The object that a `fieldSelector` of `metadata.name=` asks for. */
export function selectedName(query: URLSearchParams): string | undefined {
  return /(?:^|,)metadata\.name=([^,]+)/.exec(query.get('fieldSelector') ?? '')?.[1];
}
