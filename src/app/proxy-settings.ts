import type { ProxySettings } from '../proxy/proxy-settings.ts';
import type { Settings } from './settings.ts';

/** RFC 6797 §6.1. */
function hstsValue({ hsts, hstsMaxAge, hstsSubdomains, hstsPreload }: Settings): string {
  if (!hsts) return '';
  const subdomains = hstsSubdomains ? '; includeSubDomains' : '';
  return `max-age=${hstsMaxAge}${subdomains}${hstsPreload ? '; preload' : ''}`;
}

/** The part of the settings that the data plane needs. */
export function proxySettings(settings: Settings): ProxySettings {
  return {
    requestLimits: {
      maxRequestLineBytes: settings.requestLineBytes,
      maxHeadBytes: settings.requestHeadBytes,
      maxFields: settings.requestFields,
    },
    responseLimits: {
      maxRequestLineBytes: settings.requestLineBytes,
      maxHeadBytes: settings.responseHeadBytes,
      maxFields: settings.responseFields,
    },
    trailerLimits: { maxBytes: settings.trailerBytes, maxFields: settings.trailerFields },
    maxRequestBodyBytes: settings.bodySize,
    clientHeaderTimeoutMs: settings.clientHeaderTimeoutMs,
    clientKeepAliveMs: settings.keepAliveMs,
    clientKeepAliveRequests: settings.keepAliveRequests,
    minBodyBytesPerSecond: settings.minBodyRate,
    clientWriteTimeoutMs: settings.clientWriteTimeoutMs,
    tunnelIdleMs: settings.tunnelIdleMs,
    proxyProtocol: settings.proxyProtocol,
    trustedProxies: settings.trustedProxies,
    appendForwardedFor: settings.fullForwardedFor,
    allowUnderscores: settings.underscores,
    passServerHeader: settings.passServerHeader,
    allowEncodedSlashes: settings.encodedSlashes,
    upstream: {
      maxIdle: settings.upstreamIdle,
      idleTimeoutMs: settings.upstreamIdleMs,
      maxLifetimeMs: settings.upstreamLifetimeMs,
      maxRequestsPerConnection: settings.upstreamRequests,
    },
    accessLog: settings.accessLog,
    http2: {
      offered: settings.useHttp2,
      plain: settings.enableH2c,
      maxConcurrentStreams: settings.http2Streams,
    },
    hsts: hstsValue(settings),
  };
}
