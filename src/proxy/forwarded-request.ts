import type { RequestHead } from '../http1/message-head.ts';
import type { UpstreamRequest } from '../upstream/upstream-exchange.ts';
import type { HeaderList } from '../util/header-list.ts';
import type { Client } from './client.ts';
import type { ProxyRequest } from './proxy-request.ts';
import { forwardedUpgrade } from './upgrade.ts';

const noHeaders = { length: 0 } as HeaderList;

/** The request as endpoints get it. One object serves all exchanges of a Forwarder in turn. */
export class ForwardedRequest implements UpstreamRequest {
  method = '';
  target = '';
  authority = '';
  scheme: 'http' | 'https' = 'http';
  headers: HeaderList = noHeaders;
  fieldText = '';
  framing: UpstreamRequest['framing'] = 'none';
  contentLength = 0;
  expectContinue = false;
  upgrade: string | undefined;
  readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  /** Remembers of the head what outlives filters. */
  prepare(head: RequestHead): void {
    this.framing = head.framing === 'close' ? 'none' : head.framing;
    this.contentLength = head.contentLength;
    this.expectContinue = head.expectContinue;
    this.upgrade = forwardedUpgrade(head.upgrade);
  }

  /** The body's length will not be what the head has said. */
  forgetLength(): void {
    if (this.framing === 'length') this.framing = 'chunked';
  }

  /** The rest, as filters have left it. */
  complete(request: ProxyRequest, fieldText: string): void {
    this.method = request.method;
    this.target = request.path + request.query;
    this.authority = request.authority;
    this.scheme = request.scheme;
    this.headers = request.headers;
    this.fieldText = fieldText;
  }

  clear(): void {
    this.target = '';
    this.headers = noHeaders;
    this.fieldText = '';
  }
}
