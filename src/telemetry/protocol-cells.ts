import type { MetricDeclaration } from './metric-declaration.ts';
import { protocolMetrics } from './protocol-declarations.ts';

/** Whose connections: `client`, those that clients made to us; `upstream`, ours to endpoints. */
export const http2Sides = ['client', 'upstream'] as const;
export type Http2Side = (typeof http2Sides)[number];

/** Error codes in the order of their numbers (RFC 9113 §7), and one for all others. */
export const http2Codes = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
  'other',
] as const;

export const http2Directions = ['sent', 'received'] as const;
export type Http2Direction = (typeof http2Directions)[number];

/** What a peer can go beyond. */
export const http2Limits = [
  'reset',
  'refused',
  'ping',
  'settings',
  'windowUpdate',
  'glitch',
  'continuation',
  'output',
  'waiting',
] as const;
export type Http2Limit = (typeof http2Limits)[number];

/** `upgrade`: an HTTP/1.1 connection that switched protocols. `connect`: an HTTP/2 stream (RFC 8441). */
export const tunnelKinds = ['upgrade', 'connect'] as const;
export type TunnelKind = (typeof tunnelKinds)[number];

/** Who or what ended a tunnel first. `route`: there is none any more that would lead there. */
export const tunnelEnds = ['client', 'upstream', 'idle', 'shutdown', 'route', 'other'] as const;
export type TunnelEndReason = (typeof tunnelEnds)[number];

export const requestVersions = ['HTTP/1.0', 'HTTP/1.1', 'HTTP/2'] as const;
export type RequestVersion = (typeof requestVersions)[number];

export const proxyHeaderVersions = ['v1', 'v2'] as const;
export type ProxyHeaderVersion = (typeof proxyHeaderVersions)[number];

/** Why a connection ended before its PROXY header was read. */
export const proxyHeaderFailures = [
  'untrusted',
  'timeout',
  'closed',
  'garbage',
  'oversize',
  'checksum',
] as const;
export type ProxyHeaderFailure = (typeof proxyHeaderFailures)[number];

export const clientCertificateResults = ['success', 'none', 'failed'] as const;
export type ClientCertificateResult = (typeof clientCertificateResults)[number];

const resumptions = ['false', 'true'] as const;

/** Why a handshake with an endpoint failed. */
export const upstreamHandshakeFailures = [
  'closed',
  'timeout',
  'certificate',
  'name',
  'protocol',
  'other',
] as const;
export type UpstreamHandshakeFailure = (typeof upstreamHandshakeFailures)[number];

/** A family with one cell a series: every combination of its labels, the last label changing fastest. */
export interface CellFamily {
  readonly declaration: MetricDeclaration;
  /** The values that each label can have. */
  readonly values: readonly (readonly string[])[];
}

/** Totals that are summed over the workers. */
export const cellFamilies = {
  requestVersions: { declaration: protocolMetrics.requestVersions, values: [requestVersions] },
  goaways: { declaration: protocolMetrics.goaways, values: [http2Sides, http2Directions, http2Codes] },
  resets: { declaration: protocolMetrics.resets, values: [http2Sides, http2Directions, http2Codes] },
  limits: { declaration: protocolMetrics.limits, values: [http2Sides, http2Limits] },
  tunnelsClosed: { declaration: protocolMetrics.tunnelsClosed, values: [tunnelEnds] },
  proxyHeaders: { declaration: protocolMetrics.proxyHeaders, values: [proxyHeaderVersions] },
  proxyHeaderFailures: { declaration: protocolMetrics.proxyHeaderFailures, values: [proxyHeaderFailures] },
  clientCertificates: { declaration: protocolMetrics.clientCertificates, values: [clientCertificateResults] },
  upstreamHandshakes: { declaration: protocolMetrics.upstreamHandshakes, values: [resumptions] },
  upstreamHandshakeFailures: {
    declaration: protocolMetrics.upstreamHandshakeFailures,
    values: [upstreamHandshakeFailures],
  },
} as const satisfies Record<string, CellFamily>;

export type CellFamilyName = keyof typeof cellFamilies;

/** Values of the labels, in their order, of each cell of a family. */
export function seriesOf({ values }: CellFamily): readonly (readonly string[])[] {
  let series: readonly (readonly string[])[] = [[]];
  for (const label of values) series = series.flatMap((before) => label.map((value) => [...before, value]));
  return series;
}

/** Place among `http2Codes`. `code`: as it stands in the frame. */
export function codePlace(code: number): number {
  return Math.min(code, http2Codes.length - 1);
}

/** Place of the first code's cell among those of a family with side, direction and code. */
export function codesStart(side: Http2Side, direction: Http2Direction): number {
  const row = http2Sides.indexOf(side) * http2Directions.length + http2Directions.indexOf(direction);
  return row * http2Codes.length;
}
