import type { FilterRequest } from '../filters/filter.ts';
import type { PathMatch } from '../table/route-table.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { MatchRequest } from './linked-table.ts';

const anyPath: PathMatch = { type: 'prefix', value: '/' };
const noHeaders = { length: 0 } as HeaderList;

/** A request between its decoding and its way upstream. One object serves all requests of a client connection in turn. */
export class ProxyRequest implements FilterRequest, MatchRequest {
  method = '';
  scheme: 'http' | 'https' = 'http';
  host = '';
  port = 80;
  authority = '';
  path = '/';
  query = '';
  /** The codec's list: sanitised in place before filters see it. */
  headers: HeaderList = noHeaders;
  clientAddress = '';
  matchedPath: PathMatch = anyPath;
  requestId = '';

  /** Forgets the last request, keeping what belongs to the connection. */
  clear(): void {
    this.method = '';
    this.host = '';
    this.authority = '';
    this.path = '/';
    this.query = '';
    this.matchedPath = anyPath;
    this.requestId = '';
  }
}
