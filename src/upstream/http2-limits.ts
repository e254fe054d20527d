import { defaultLimits } from '../http2/limits.ts';
import type { Http2Limits } from '../http2/limits.ts';
import type { ReaderLimits } from './response-reader.ts';

/** Streams on one connection, where the endpoint allows as many. */
const MAX_STREAMS = 250;
/** Of an answer, before its client has taken any of it: a client's limit bears as many as it may have streams. */
const WINDOW_BYTES = 16 * 1024;
/** The same once the client takes what comes. */
const GROWN_WINDOW_BYTES = 128 * 1024;
/** Of one request's body, waiting for the endpoint's window: what a client has sent by the time that it is held back. */
const MAX_WAITING_EACH = 320 * 1024;

/**
 * What a connection to an endpoint may hold and do: heads and trailers as over HTTP/1.1. An endpoint is trusted with more
 * than a client: late frames of exchanges that clients gave up are no fault of its.
 */
export function upstreamLimits({ responseLimits, trailerLimits }: ReaderLimits): Http2Limits {
  return {
    ...defaultLimits,
    maxConcurrentStreams: MAX_STREAMS,
    streamWindowBytes: WINDOW_BYTES,
    grownWindowBytes: GROWN_WINDOW_BYTES,
    // As much as all streams together: answers that clients do not take must not hold back those of others.
    connectionWindowBytes: MAX_STREAMS * GROWN_WINDOW_BYTES,
    maxFields: responseLimits.maxFields,
    maxHeaderBytes: responseLimits.maxHeadBytes,
    maxTrailerFields: trailerLimits.maxFields,
    maxTrailerBytes: trailerLimits.maxBytes,
    maxWaitingBytes: MAX_STREAMS * MAX_WAITING_EACH,
    maxOutputBytes: 4 * 1024 * 1024,
    budgets: { ...defaultLimits.budgets, reset: 2000, ping: 1000, windowUpdate: 20_000, glitch: 50_000 },
  };
}
