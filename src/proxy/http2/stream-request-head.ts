import { randomBytes } from 'node:crypto';

import type { CodecFault, Framing, RequestHead } from '../../http1/message-head.ts';
import { knownMethods } from '../../http1/methods.ts';
import { METHOD, isAll, isAscii } from '../../http1/tokens.ts';
import type { Http2RequestHead } from '../../http2/message-heads.ts';
import { HeaderList } from '../../util/header-list.ts';

const NONE: readonly string[] = Object.freeze([]);
const UPGRADE: readonly string[] = Object.freeze(['upgrade']);

/** `identity`: says who somebody is, so it must be ASCII, as over HTTP/1. */
const judged: ReadonlyMap<string, 'expect' | 'identity'> = new Map([
  ['expect', 'expect'],
  ['authorization', 'identity'],
  ['proxy-authorization', 'identity'],
  ['forwarded', 'identity'],
  ['x-forwarded-for', 'identity'],
  ['x-forwarded-host', 'identity'],
  ['x-forwarded-proto', 'identity'],
  ['x-forwarded-port', 'identity'],
  ['x-real-ip', 'identity'],
]);

const badMethod: CodecFault = { code: 'SP_BAD_REQUEST', reason: 'method with a byte that no method has' };
const unknownMethod: CodecFault = { code: 'SP_NOT_IMPLEMENTED', reason: 'unknown method' };
const unknownProtocol: CodecFault = { code: 'SP_NOT_IMPLEMENTED', reason: 'unknown :protocol' };
const tooLong: CodecFault = { code: 'SP_URI_TOO_LONG', reason: ':path too long' };
const badExpectation: CodecFault = { code: 'SP_EXPECTATION', reason: 'unknown expectation' };
const badIdentity: CodecFault = {
  code: 'SP_BAD_REQUEST',
  reason: 'byte above 0x7e in a field that must be ASCII',
};

/** Where there is no request: shared, and never filled. */
const noFields = new HeaderList();

/** A request of HTTP/2 in the form that an exchange takes. One object serves all requests of a ClientStream. */
export class StreamRequestHead implements RequestHead {
  method = '';
  target = '';
  authority = '';
  targetScheme: '' | 'http' | 'https' = '';
  pathAndQuery = '';
  readonly minor = 1;
  headers: HeaderList = noFields;
  framing: Framing = 'none';
  contentLength = 0;
  readonly keepAlive = true;
  connectionTokens: readonly string[] = NONE;
  upgrade: string | undefined;
  expectContinue = false;

  /**
   * Takes over a head. `isComplete`: nothing follows it. Returns why it is refused: what HTTP/1 refuses before a request is
   * anybody's is refused here too.
   */
  take(head: Http2RequestHead, isComplete: boolean, maxLineBytes: number): CodecFault | undefined {
    this.headers = head.headers;
    this.authority = head.authority;
    this.targetScheme = head.scheme;
    this.target = head.pathAndQuery;
    this.pathAndQuery = head.pathAndQuery;
    this.connectionTokens = NONE;
    this.upgrade = undefined;
    this.expectContinue = false;
    this.#frame(head.contentLength, isComplete);
    const method = knownMethods.get(head.method);
    if (method === undefined) return isAll(head.method, METHOD) ? unknownMethod : badMethod;
    this.method = method;
    // As long as the request line that it would be in HTTP/1.
    if (method.length + head.pathAndQuery.length + 2 > maxLineBytes) return tooLong;
    return this.#judgeFields() ?? (head.protocol === '' ? undefined : this.#asUpgrade(head.protocol));
  }

  /** Lets go of the fields: they must not stay as long as an idle connection does. Returns them where there are any. */
  giveUpFields(): HeaderList | undefined {
    const { headers } = this;
    this.headers = noFields;
    return headers === noFields ? undefined : headers;
  }

  #frame(stated: number, isComplete: boolean): void {
    this.contentLength = stated < 0 ? 0 : stated;
    if (stated >= 0) this.framing = 'length';
    else this.framing = isComplete ? 'none' : 'chunked';
  }

  #judgeFields(): CodecFault | undefined {
    const { lower, values, length } = this.headers;
    for (let index = 0; index < length; index++) {
      const rule = judged.get(lower[index] as string);
      if (rule === undefined) continue;
      const value = values[index] as string;
      if (rule === 'identity') {
        if (!isAscii(value)) return badIdentity;
      } else if (this.expectContinue || value.toLowerCase() !== '100-continue') {
        return badExpectation;
      } else {
        this.expectContinue = true;
      }
    }
    return undefined;
  }

  /** Extended CONNECT (RFC 8441 §5) as the upgrade that it would be in HTTP/1.1, with a key of our own. */
  #asUpgrade(protocol: string): CodecFault | undefined {
    if (protocol.toLowerCase() !== 'websocket') return unknownProtocol;
    this.method = 'GET';
    this.framing = 'none';
    this.upgrade = 'websocket';
    this.connectionTokens = UPGRADE;
    const { headers } = this;
    headers.set('sec-websocket-key', randomBytes(16).toString('base64'));
    if (!headers.has('sec-websocket-version')) headers.append('sec-websocket-version', '13');
    return undefined;
  }
}
