interface ErrorCode {
  /** HTTP status of the answer; 0 where no answer can be given any more. */
  readonly status: number;
  /** What the client is told. Says nothing about the inside. */
  readonly text: string;
}

/**
 * Every request-time error: stable code → status and text. Codes are counted and logged, never sent to the client.
 * The order is the row order in shared memory, so new codes go to the end.
 */
export const errorCodes = {
  SP_BAD_REQUEST: { status: 400, text: 'Bad Request' },
  SP_BAD_HOST: { status: 400, text: 'Bad Request' },
  SP_BAD_PATH: { status: 400, text: 'Bad Request' },
  SP_BAD_FRAMING: { status: 400, text: 'Bad Request' },
  SP_BAD_CHUNK: { status: 400, text: 'Bad Request' },
  SP_CLIENT_TRUNCATED: { status: 400, text: 'Bad Request' },
  SP_NO_ROUTE: { status: 404, text: 'Not Found' },
  SP_METHOD_NOT_ALLOWED: { status: 405, text: 'Method Not Allowed' },
  SP_CLIENT_TIMEOUT: { status: 408, text: 'Request Timeout' },
  SP_BODY_TOO_LARGE: { status: 413, text: 'Content Too Large' },
  SP_URI_TOO_LONG: { status: 414, text: 'URI Too Long' },
  SP_EXPECTATION: { status: 417, text: 'Expectation Failed' },
  SP_HEAD_TOO_LARGE: { status: 431, text: 'Request Header Fields Too Large' },
  SP_CLIENT_GONE: { status: 499, text: '' },
  SP_INTERNAL: { status: 500, text: 'Internal Server Error' },
  SP_NOT_IMPLEMENTED: { status: 501, text: 'Not Implemented' },
  SP_UPSTREAM_CONNECT: { status: 502, text: 'Bad Gateway' },
  SP_UPSTREAM_RESET: { status: 502, text: 'Bad Gateway' },
  SP_UPSTREAM_PROTOCOL: { status: 502, text: 'Bad Gateway' },
  SP_UPSTREAM_TRUNCATED: { status: 502, text: 'Bad Gateway' },
  SP_NO_ENDPOINTS: { status: 503, text: 'Service Unavailable' },
  SP_ROUTE_INVALID: { status: 503, text: 'Service Unavailable' },
  SP_OVERLOADED: { status: 503, text: 'Service Unavailable' },
  SP_UPSTREAM_CONNECT_TIMEOUT: { status: 504, text: 'Gateway Timeout' },
  SP_UPSTREAM_TIMEOUT: { status: 504, text: 'Gateway Timeout' },
  SP_REQUEST_TIMEOUT: { status: 504, text: 'Gateway Timeout' },
  SP_VERSION: { status: 505, text: 'HTTP Version Not Supported' },
  SP_LOOP: { status: 508, text: 'Loop Detected' },
  SP_CLIENT_SLOW: { status: 0, text: '' },
  SP_ENDPOINTS_BUSY: { status: 503, text: 'Service Unavailable' },
  SP_MISDIRECTED: { status: 421, text: 'Misdirected Request' },
  SP_CLIENT_CERT_MISSING: { status: 400, text: 'Client Certificate Required' },
  SP_CLIENT_CERT_INVALID: { status: 400, text: 'Client Certificate Not Accepted' },
  SP_CLIENT_CERT_FORBIDDEN: { status: 403, text: 'Forbidden' },
  SP_CLIENT_AUTH_CLOSED: { status: 403, text: 'Forbidden' },
  SP_TLS_REQUIRED: { status: 403, text: 'Forbidden' },
  SP_UPSTREAM_TLS: { status: 502, text: 'Bad Gateway' },
} as const satisfies Record<string, ErrorCode>;

export type ErrorCodeName = keyof typeof errorCodes;
