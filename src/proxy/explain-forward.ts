import { defaultRetry, defaultTimeouts } from '../table/exchange-defaults.ts';
import { endpointKey } from '../table/endpoint-key.ts';
import { describeProtocol } from '../table/describe-upstream.ts';
import type { Endpoint, Forward, SplitOverride, TableUpstream } from '../table/route-table.ts';
import type { LinkedBackend, MatchRequest } from './linked-table.ts';
import { WeightedSplitter } from './split.ts';

export interface ExplainedForward {
  /** How the backend is chosen among several, in words. */
  readonly decision: string;
  readonly backends: readonly ExplainedBackend[];
}

export interface ExplainedBackend {
  readonly upstream: string;
  /** What is spoken with its endpoints, in a word; '' for one that is not in the table. */
  readonly protocol: string;
  /** How TLS with them goes, in words; '' without TLS. */
  readonly tls: string;
  readonly role: 'stable' | 'canary';
  readonly weight: number;
  /** Chance to serve this very request, 0…1. */
  readonly share: number;
  /** `address:port`. */
  readonly endpoints: readonly string[];
  /** Upstream that serves in its place while it has no endpoints. */
  readonly fallback: string | undefined;
}

/** Upstreams of a table by their ids; undefined: no such one. */
export interface ExplainedUpstreams {
  endpoints(upstream: string): readonly Endpoint[] | undefined;
  upstream(id: string): TableUpstream | undefined;
}

/** Where a request of this route goes. Asks the splitter that serves requests, over upstreams that only count endpoints. */
export function explainForward(
  forward: Forward,
  request: MatchRequest,
  table: ExplainedUpstreams,
): ExplainedForward {
  const endpoints = forward.backends.map(({ upstream }) => table.endpoints(upstream) ?? []);
  const linked = forward.backends.map((backend, index): LinkedBackend => {
    const count = endpoints[index]?.length ?? 0;
    return {
      ...backend,
      upstream: countOnly(backend.upstream, count),
      fallback: backend.fallback,
      timeouts: defaultTimeouts,
      retry: defaultRetry,
      metrics: noMetrics,
    };
  });
  const { by, override, shares } = new WeightedSplitter(forward, linked).inspect(request);
  return {
    decision: describeDecision(forward, by, forward.overrides[override]),
    backends: forward.backends.map(({ upstream, role, weight, fallback }, index) => ({
      upstream,
      protocol: protocolOf(table.upstream(upstream)),
      tls: tlsOf(table.upstream(upstream)),
      role,
      weight,
      share: shares[index] ?? 0,
      endpoints: (endpoints[index] ?? []).map(endpointKey),
      fallback: fallback === undefined ? undefined : forward.backends[fallback]?.upstream,
    })),
  };
}

function protocolOf(upstream: TableUpstream | undefined): string {
  return upstream === undefined ? '' : describeProtocol(upstream);
}

function tlsOf(upstream: TableUpstream | undefined): string {
  const tls = upstream?.tls;
  if (tls === undefined) return '';
  const { verify, name, authority, certificate } = tls;
  const parts = [
    verify ? `verified as ${name} by ${authority?.id ?? 'public authorities'}` : 'not verified',
    ...(certificate === undefined ? [] : [`showing ${certificate.id}`]),
  ];
  return parts.join(', ');
}

const noMetrics = { record: () => undefined, retried: () => undefined };

function countOnly(id: string, endpointCount: number): LinkedBackend['upstream'] {
  return { id, endpointCount, update: () => undefined, retire: () => undefined };
}

function describeDecision(
  { backends, split }: Forward,
  by: 'override' | 'sticky' | 'random',
  override: SplitOverride | undefined,
): string {
  if (override !== undefined) {
    const test = override.type === 'exact' ? 'is' : 'matches';
    return `${override.source} ${override.name} ${test} ${JSON.stringify(override.value)}`;
  }
  if (backends.length === 1) return 'the only backend';
  if (split.by === 'random') return 'at random, by weight';
  const key = split.by === 'address' ? 'client address' : `${split.by} ${split.name}`;
  return by === 'sticky'
    ? `always alike for this ${key}, by weight`
    : `at random, by weight: the request has no ${key}`;
}
