import type { FilterRequest } from '../filters/filter.ts';
import type { PathMatch } from '../table/route-table.ts';
import { HeaderList } from '../util/header-list.ts';
import { KnownAuthority } from './known-authority.ts';
import type { MatchRequest } from './linked-table.ts';

const anyPath: PathMatch = { type: 'prefix', value: '/' };
const defaultPorts = { http: 80, https: 443 } as const;
const noHeaders = new HeaderList();

/** A request between its decoding and its way upstream. One object serves all requests of a client connection in turn. */
export class ProxyRequest implements FilterRequest, MatchRequest {
  method = '';
  /** Of the client's connection. */
  readonly transport: 'http' | 'https';
  scheme: 'http' | 'https';
  host = '';
  port = 80;
  authority = '';
  path = '/';
  query = '';
  /** The codec's list: sanitised in place before filters see it. */
  headers: HeaderList = noHeaders;
  origin = '';
  clientAddress = '';
  matchedPath: PathMatch = anyPath;
  requestId = '';
  /** Of the connection's requests so far. */
  readonly lastAuthority: KnownAuthority;

  constructor(transport: 'http' | 'https' = 'http') {
    this.transport = transport;
    this.lastAuthority = new KnownAuthority(transport);
    this.scheme = transport;
  }

  /** A proxy that is believed says that its client used this scheme. A port that nobody named follows it. */
  speakFor(scheme: 'http' | 'https'): void {
    if (scheme === this.scheme) return;
    if (this.port === defaultPorts[this.scheme]) this.port = defaultPorts[scheme];
    this.scheme = scheme;
  }

  /** Forgets the last request, keeping what belongs to the connection. */
  clear(): void {
    this.method = '';
    this.scheme = this.transport;
    this.host = '';
    this.authority = '';
    this.headers = noHeaders;
    this.path = '/';
    this.query = '';
    this.origin = '';
    this.matchedPath = anyPath;
    this.requestId = '';
  }
}
