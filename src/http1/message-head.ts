import type { ErrorCodeName } from '../telemetry/error-codes.ts';
import type { HeaderList } from '../util/header-list.ts';

// Strict HTTP/1.x codec (RFC 9112): bytes → heads and bodies, heads → bytes, for both roles. Pure: buffers in, values out,
// no sockets, no timers. It rejects rather than repairs. Imports util, table and telemetry's error codes only.

/** Limits in bytes, except `maxFields`. */
export interface HeadLimits {
  /** Method, target and version together; beyond: SP_URI_TOO_LONG. */
  readonly maxRequestLineBytes: number;
  /** The whole head with its final empty line; beyond: SP_HEAD_TOO_LARGE. One field of a request may be half as long. */
  readonly maxHeadBytes: number;
  readonly maxFields: number;
}

/** How the body that follows a head is framed. `close` occurs in responses only. */
export type Framing = 'none' | 'length' | 'chunked' | 'close';

/** What is shared by request and response heads. The object is reused: copy what must outlive the next head. */
export interface MessageHead {
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  minor: 0 | 1;
  /** All fields as received, hop-by-hop ones included. */
  readonly headers: HeaderList;
  framing: Framing;
  /** For framing `length`; 0 otherwise. Never above 2^53 - 1. */
  contentLength: number;
  /** Whether the sender wants the connection kept, by version and Connection tokens. */
  keepAlive: boolean;
  /** Lower-case tokens of all Connection fields; an empty shared array when there are none. */
  connectionTokens: readonly string[];
  /** Value of Upgrade when `Connection: upgrade` names it (lower case), else undefined. */
  upgrade: string | undefined;
}

export interface RequestHead extends MessageHead {
  method: string;
  /** As received: origin-form, absolute-form, `*` or authority-form. */
  target: string;
  /** The single Host field's value, or of absolute-form the authority, which must agree with it. Not yet canonical. */
  authority: string;
  /** Scheme of an absolute-form target, '' for the other forms. */
  targetScheme: '' | 'http' | 'https';
  /** Path and query of the target (without scheme and authority), `*` for OPTIONS of no path, '' for CONNECT. */
  pathAndQuery: string;
  /** Exactly `Expect: 100-continue` on HTTP/1.1. */
  expectContinue: boolean;
}

export interface ResponseHead extends MessageHead {
  status: number;
  reason: string;
}

/** Why a message was refused. `reason` is for logs and tests, short and static. */
export interface CodecFault {
  readonly code: ErrorCodeName;
  readonly reason: string;
}
