import { defaultLimits } from '../../http2/limits.ts';
import type { Http2Limits } from '../../http2/limits.ts';
import type { ProxySettings } from '../proxy-settings.ts';

/** What one client's connection may hold and do: heads, trailers and requests as over HTTP/1, the rest is fixed. */
export function sessionLimits(settings: ProxySettings): Http2Limits {
  const { requestLimits, trailerLimits } = settings;
  return {
    ...defaultLimits,
    maxConcurrentStreams: settings.http2.maxConcurrentStreams,
    maxStreams: settings.clientKeepAliveRequests,
    maxFields: requestLimits.maxFields,
    maxHeaderBytes: requestLimits.maxHeadBytes,
    maxTrailerFields: trailerLimits.maxFields,
    maxTrailerBytes: trailerLimits.maxBytes,
  };
}
