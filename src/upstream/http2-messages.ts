import type { Framing, ResponseHead } from '../http1/message-head.ts';
import { trailerFate } from '../http1/trailer-policy.ts';
import type { FieldSource } from '../http2/http2-stream.ts';
import type { Http2ResponseHead } from '../http2/message-heads.ts';
import { HeaderList } from '../util/header-list.ts';
import type { UpstreamRequest } from './upstream-exchange.ts';
import { webSocketAccept } from './upgrade-proof.ts';

// Requests and responses between the form that all protocols share and HTTP/2 (RFC 9113 §8.3, RFC 8441).

const noTokens: readonly string[] = [];

/** Whether it becomes an extended CONNECT. Other upgrades do not exist in HTTP/2: the request goes without. */
export function isTunnelRequest({ upgrade }: UpstreamRequest): boolean {
  return upgrade === 'websocket';
}

/** The head of a request. `scheme`: of the connection. */
export function http2Fields(request: UpstreamRequest, scheme: 'http' | 'https'): FieldSource {
  const { method, target, authority, framing, contentLength, expectContinue } = request;
  if (isTunnelRequest(request)) return connectFields(request, scheme);
  const pseudo: [string, string][] = [
    [':method', method],
    [':scheme', scheme],
    [':authority', authority],
    [':path', target],
  ];
  // Regular fields, in front of the others: so the request's own list is left as it is.
  if (framing === 'length') pseudo.push(['content-length', String(contentLength)]);
  if (expectContinue) pseudo.push(['expect', '100-continue']);
  return { pseudo, headers: request.headers };
}

/** RFC 8441 §4, §5: the stream itself is the proof that the key asks for over HTTP/1.1. */
function connectFields({ target, authority, headers }: UpstreamRequest, scheme: string): FieldSource {
  const own = new HeaderList();
  for (let index = 0; index < headers.length; index++) {
    const lower = headers.lower[index] as string;
    if (lower !== 'sec-websocket-key') own.push(lower, lower, headers.values[index] as string);
  }
  const pseudo: [string, string][] = [
    [':method', 'CONNECT'],
    [':protocol', 'websocket'],
    [':scheme', scheme],
    [':authority', authority],
    [':path', target],
  ];
  return { pseudo, headers: own };
}

export function toResponseHead(head: Http2ResponseHead, framing: Framing, contentLength = 0): ResponseHead {
  return {
    minor: 1,
    status: head.status,
    reason: '',
    headers: head.headers,
    framing,
    contentLength: framing === 'length' ? contentLength : 0,
    keepAlive: true,
    connectionTokens: noTokens,
    upgrade: undefined,
  };
}

/** The answer to an extended CONNECT as a 101 of HTTP/1.1 would have said it. */
export function switchedHead(head: Http2ResponseHead, request: UpstreamRequest): ResponseHead {
  const key = request.headers.get('sec-websocket-key');
  head.headers.remove('sec-websocket-accept');
  if (key !== undefined) head.headers.append('Sec-WebSocket-Accept', webSocketAccept(key));
  return { ...toResponseHead(head, 'none'), status: 101, upgrade: 'websocket' };
}

/** The trailer fields that may go on, whatever protocol they came by; in place. */
export function keptTrailers(trailers: HeaderList | undefined): HeaderList | undefined {
  if (trailers === undefined) return undefined;
  let kept = 0;
  for (let index = 0; index < trailers.length; index++) {
    if (trailerFate(trailers.lower[index] as string) === 'keep') trailers.place(index, kept++);
  }
  trailers.truncate(kept);
  return kept > 0 ? trailers : undefined;
}
