import { describe, expect, test } from '@jest/globals';
import { loadAll } from 'js-yaml';
import { services } from '../../test/support/sallyport-process.ts';
import { defaultCompileOptions } from '../compile/compile-options.ts';
import { createCompiler } from '../compile/compiler.ts';
import { listDiagnostics } from '../compile/diagnostic-index.ts';
import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import { decodeObject } from '../model/decode-object.ts';
import { createSnapshot } from '../model/snapshot-store.ts';
import { explain, explainableTable } from '../proxy/explain.ts';
import type { RouteTable } from '../table/route-table.ts';
import { listBackends } from './backend-list.ts';
import { findingsOf } from './route-findings.ts';
import { listRoutes } from './route-list.ts';

interface Made {
  readonly table: RouteTable;
  readonly diagnostics: readonly Diagnostic[];
}

function compile(yaml: string): Made {
  const objects = loadAll(yaml).flatMap((raw) => decodeObject(raw, { identity: 'content' }).object ?? []);
  const { table, diagnostics } = createCompiler(defaultCompileOptions).compile(createSnapshot(objects));
  return { table: { generation: 1, ...table }, diagnostics: listDiagnostics(diagnostics) };
}

function ingress(
  name: string,
  options: { readonly service?: string; readonly annotations?: string } = {},
): string {
  return `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name}, namespace: team, annotations: { ${options.annotations ?? ''} } }
spec:
  ingressClassName: sallyport
  rules:
    - host: shop.example
      http:
        paths:
          - { path: /, pathType: Prefix, backend: { service: { name: ${options.service ?? 'shop'}, port: { number: 80 } } } }
---`;
}

function explained(table: RouteTable, url: string) {
  return explain(explainableTable(table), { method: 'GET', url, headers: [], clientAddress: '192.0.2.1' });
}

function list(yaml: string): ReturnType<typeof listRoutes> {
  const { table, diagnostics } = compile(yaml + services(8080));
  return listRoutes(table, diagnostics);
}

describe('the list of routes', () => {
  test('a route with endpoints is served', () => {
    expect(list(ingress('shop'))).toEqual([
      {
        object: { kind: 'Ingress', namespace: 'team', name: 'shop' },
        field: 'spec.rules[0].http.paths[0]',
        id: 'Ingress/team/shop/0.0',
        hosts: ['shop.example'],
        path: { type: 'prefix', value: '/' },
        filters: [],
        backends: [{ upstream: 'team/shop:80', role: 'stable', weight: 1, endpoints: 1 }],
        status: 'served',
        reason: '',
      },
    ]);
  });

  test('a route whose Service is not there has no endpoints', () => {
    expect(list(ingress('shop', { service: 'gone' }))).toMatchObject([
      { status: 'no-endpoints', reason: 'SP_NO_ENDPOINTS: no backend has an endpoint' },
    ]);
  });

  test('a route that fails closed says which fault closed it', () => {
    const annotations = 'nginx.ingress.kubernetes.io/auth-url: http://auth.example/';
    expect(list(ingress('shop', { annotations }))).toMatchObject([
      { status: 'closed', reason: expect.stringMatching(/^SP_ROUTE_INVALID: SP4003 .*auth-url/) },
    ]);
  });

  test('routes of a host whose clients are all refused are closed, whichever object they are of', () => {
    const annotations = 'nginx.ingress.kubernetes.io/auth-tls-secret: team/ca';
    const both = ingress('shop', { annotations }) + ingress('other').replace('path: /', 'path: /x');
    const [other, shop] = list(both);
    expect(shop).toMatchObject({
      clientCertificates: 'closed',
      status: 'closed',
      reason: expect.stringMatching(/^SP_CLIENT_AUTH_CLOSED: SP2205 .*team\/ca/),
    });
    expect(other).toMatchObject({
      status: 'closed',
      reason: expect.stringMatching(/^SP_CLIENT_AUTH_CLOSED: /),
    });
  });

  test('of several faults of an object the one of the rule is named', () => {
    const route = `
apiVersion: sallyport.dev/v1alpha1
kind: Route
metadata: { name: api, namespace: team }
spec:
  ingressClassName: sallyport
  hosts: [api.example]
  rules:
    - matches: [{ path: { type: Prefix, value: /one } }]
      filters: [{ rewriteEverything: {} }]
      backends: [{ service: shop, port: 80 }]
    - matches: [{ path: { type: Prefix, value: /two } }]
      filters: [{ rewriteNothing: {} }]
      backends: [{ service: shop, port: 80 }]
---`;
    expect(list(route).map(({ status, reason }) => [status, reason])).toEqual([
      ['closed', expect.stringContaining('rewriteEverything')],
      ['closed', expect.stringContaining('rewriteNothing')],
    ]);
  });

  test('one that lost a conflict stands in the list with host, path and winner', () => {
    expect(list(ingress('shop') + ingress('zzz'))).toMatchObject([
      { object: { name: 'shop' }, status: 'served' },
      {
        object: { name: 'zzz' },
        id: '',
        hosts: ['shop.example'],
        path: { type: 'prefix', value: '/' },
        status: 'conflict',
        reason: expect.stringMatching(/^SP3001: .*Ingress team\/shop has it/),
      },
    ]);
  });

  test('a canary is a backend of its main; without a main it is unused', () => {
    const annotations =
      'nginx.ingress.kubernetes.io/canary: "true", nginx.ingress.kubernetes.io/canary-weight: "20"';
    expect(list(ingress('shop') + ingress('next', { annotations }))).toMatchObject([
      {
        object: { name: 'shop' },
        backends: [
          { role: 'stable', weight: 80 },
          { role: 'canary', weight: 20 },
        ],
      },
    ]);
    expect(list(ingress('next', { annotations }))).toMatchObject([
      { object: { name: 'next' }, hosts: ['shop.example'], status: 'unused' },
    ]);
  });
});

describe('the list of backends', () => {
  test('has settings, endpoints and how many routes lead there', () => {
    const { table } = compile(ingress('shop') + services(8080));
    expect(listBackends(table)).toEqual([
      expect.objectContaining({
        id: 'team/shop:80',
        namespace: 'team',
        service: 'shop',
        port: '80',
        protocol: 'http1',
        balance: 'round-robin',
        routes: 1,
        endpoints: [{ endpoint: '127.0.0.1:8080', weight: 1 }],
      }),
    ]);
  });

  test('counts requests in flight where that is known', () => {
    const { table } = compile(ingress('shop') + services(8080));
    const [backend] = listBackends(table, (endpoint) => (endpoint === '127.0.0.1:8080' ? 3 : undefined));
    expect(backend?.endpoints).toEqual([{ endpoint: '127.0.0.1:8080', weight: 1, inFlight: 3 }]);
  });
});

test('findings of a route are those of its object and of what lost to it', () => {
  const { table, diagnostics } = compile(ingress('shop') + ingress('zzz') + services(8080));
  expect(findingsOf(explained(table, 'shop.example'), diagnostics)).toMatchObject([
    { code: 'SP3001', object: { name: 'zzz' } },
  ]);
  expect(findingsOf(explained(table, 'other.example'), diagnostics)).toEqual([]);
});

test('clients are refused for what is wrong with their authority, whatever else is wrong', () => {
  const annotations = 'nginx.ingress.kubernetes.io/auth-tls-secret: team/gone';
  expect(list(ingress('shop', { service: 'missing', annotations }))).toMatchObject([
    { status: 'closed', reason: expect.stringMatching(/^SP_CLIENT_AUTH_CLOSED: SP2205 Secret "team\/gone"/) },
  ]);
});

test('what is wrong with a policy shows where its Service is used', () => {
  const policy = (service: string) => `
apiVersion: sallyport.dev/v1alpha1
kind: BackendPolicy
metadata: { name: internal, namespace: team }
spec: { service: ${service}, tls: { caSecretName: gone } }
---`;
  const closed = compile(ingress('shop') + policy('shop') + services(8080));
  expect(findingsOf(explained(closed.table, 'shop.example'), closed.diagnostics)).toMatchObject([
    { code: 'SP2205', object: { kind: 'BackendPolicy', name: 'internal' }, service: 'team/shop' },
  ]);
  expect(listRoutes(closed.table, closed.diagnostics)).toMatchObject([
    {
      status: 'no-endpoints',
      reason:
        'SP_NO_ENDPOINTS: no backend has an endpoint; BackendPolicy team/internal: SP2205 Secret "team/gone" does not exist; the Service counts as one without endpoints',
    },
  ]);
  const elsewhere = compile(ingress('shop') + policy('other') + services(8080));
  expect(findingsOf(explained(elsewhere.table, 'shop.example'), elsewhere.diagnostics)).toEqual([]);
});
