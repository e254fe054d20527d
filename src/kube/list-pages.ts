import { failureOfError, failureOfStatus } from './api-failure.ts';
import type { ApiFailure } from './api-failure.ts';
import { isRecord } from './project-object.ts';
import { resourcePath } from './resources.ts';
import type { ResourceScope } from './resources.ts';
import { TransportError } from './transport.ts';
import type { ApiRequest, ApiResponse, Transport } from './transport.ts';

/** One page of a list. */
export interface ListPage {
  /** Of the whole list: the same on every page. */
  readonly resourceVersion: string;
  readonly items: readonly unknown[];
}

export interface ListOptions {
  readonly transport: Transport;
  readonly scope: ResourceScope;
  /** 0: everything at once. */
  readonly pageSize: number;
  readonly signal: AbortSignal;
}

/** The call that reads a scope, without what a list or a watch adds. */
export function scopeRequest({ resource, namespace, name }: ResourceScope): ApiRequest & {
  readonly query: Map<string, string>;
} {
  return {
    method: 'GET',
    path: resourcePath(resource, namespace === undefined ? {} : { namespace }),
    query: new Map(name === undefined ? [] : [['fieldSelector', `metadata.name=${name}`]]),
  };
}

/** Parsed, a page takes several times its size; 500 objects as large as an API server takes them would be 750 MiB. */
const pageBytes = 32 * 1024 * 1024;
const shrinkBy = 8;
/** Longer than the minute after which an API server gives up by itself: its 504 is about one scope, silence about all. */
const timeoutMs = 75_000;

/**
 * Every object of a scope, page by page. No resourceVersion is asked for: that is a consistent read, so it can never show
 * less than was seen before, and it is the only kind that is cut into pages (a read at "0" may be old and ignores `limit`).
 * Pages get smaller when objects are so large that nobody could hold one. Other work of the thread runs between two pages.
 * A failure ends it.
 */
export async function* listPages(options: ListOptions): AsyncGenerator<ListPage | ApiFailure> {
  const { transport, scope, signal } = options;
  let { pageSize } = options;
  let next: string | undefined = '';
  while (next !== undefined) {
    const request = scopeRequest(scope);
    if (pageSize > 0) request.query.set('limit', String(pageSize));
    if (next !== '') request.query.set('continue', next);
    const limit = pageSize > 1 ? { maxBytes: pageBytes } : {};
    let response: ApiResponse;
    try {
      response = await transport.request({ ...request, ...limit, signal, timeoutMs });
    } catch (error) {
      if (pageSize > 1 && error instanceof TransportError && error.code === 'TOO_LARGE') {
        pageSize = Math.max(1, Math.floor(pageSize / shrinkBy));
        continue;
      }
      yield failureOfError(request, error);
      return;
    }
    const page = response.status === 200 ? readPage(response.body) : undefined;
    if (page === undefined) {
      const strange = { ...response, body: 'an answer that is no list' };
      yield failureOfStatus(request, response.status === 200 ? strange : response);
      return;
    }
    yield page;
    ({ next } = page);
  }
}

function readPage(body: unknown): (ListPage & { readonly next: string | undefined }) | undefined {
  if (!isRecord(body) || !isRecord(body['metadata'])) return undefined;
  const { resourceVersion, continue: next } = body['metadata'];
  // An empty list of some servers is `null`.
  const items = body['items'] ?? [];
  if (typeof resourceVersion !== 'string' || resourceVersion === '' || !Array.isArray(items))
    return undefined;
  return { resourceVersion, items, next: typeof next === 'string' && next !== '' ? next : undefined };
}
