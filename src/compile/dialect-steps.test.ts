import { describe, expect, test } from '@jest/globals';

import {
  CompileSteps,
  ingressOf,
  policyOf,
  secretOf,
  serviceOf,
  sliceOf,
} from '../../test/support/compile-steps.ts';
import { TestAuthority } from '../../test/support/test-authority.ts';
import type { CompileResult } from './compiler.ts';

// How endpoints are spoken to, as objects come and go.

const authority = TestAuthority.root();
const verified = {
  'backend-protocol': 'HTTPS',
  'proxy-ssl-verify': 'on',
  'proxy-ssl-secret': 'default/ca',
} as const;

function start(...more: readonly object[]) {
  const steps = new CompileSteps();
  steps.set(serviceOf('web'), sliceOf('web', '10.0.0.1'), ...more);
  return steps;
}

function upstreamsOf({ table }: CompileResult): readonly string[] {
  return [...table.upstreams.keys()].toSorted();
}

function upstreamOf({ table }: CompileResult, route: string): string {
  const action = table.routes.get(`Ingress/default/${route}/0.0`)?.action;
  return action?.kind === 'forward' ? (action.forward.backends[0]?.upstream ?? '') : (action?.code ?? '');
}

describe('variants of an upstream', () => {
  test('are shared by objects that say the same, and go with the last of them', () => {
    const steps = start(ingressOf('one', { annotations: { 'backend-protocol': 'GRPC' } }));
    const two = ingressOf('two', { annotations: { 'backend-protocol': 'grpc ' } });
    expect(upstreamsOf(steps.set(two, ingressOf('plain')))).toEqual([
      'default/web:80',
      'default/web:80+grpc',
    ]);
    expect(upstreamsOf(steps.remove(two))).toEqual(['default/web:80', 'default/web:80+grpc']);
    const last = steps.remove(ingressOf('one'));
    expect(upstreamsOf(last)).toEqual(['default/web:80']);
    expect([...last.table.endpoints.keys()]).toEqual(['default/web:80']);
  });

  test('all follow the endpoints of their Service, with nothing compiled', () => {
    const steps = start();
    steps.set(
      ingressOf('plain'),
      ingressOf('rpc', { annotations: { 'backend-protocol': 'GRPC' } }),
      ingressOf('secure', { annotations: { 'backend-protocol': 'HTTPS' } }),
    );
    const { compiledObjects, changes } = steps.set(sliceOf('web', '10.0.0.2'));
    expect(compiledObjects).toBe(0);
    expect(changes.upstreams.set).toEqual([]);
    expect(changes.endpoints.set.map(({ id }) => id).toSorted()).toEqual([
      'default/web:80',
      'default/web:80+grpc',
      'default/web:80+https',
    ]);
    for (const { endpoints } of changes.endpoints.set) expect(endpoints[0]?.address).toBe('10.0.0.2');
  });

  test('follow a policy: the same is no variant, and everything else of it holds for all', () => {
    const steps = start(
      ingressOf('rpc', { annotations: { 'backend-protocol': 'GRPC' } }),
      ingressOf('plain'),
    );
    const same = steps.set(policyOf('web', { protocol: 'GRPC' }));
    expect(upstreamOf(same, 'rpc')).toBe('default/web:80');
    expect(same.compiledObjects).toBe(2);
    const other = steps.set(policyOf('web', { protocol: 'HTTP2', balance: 'LeastRequest' }));
    expect(upstreamOf(other, 'rpc')).toBe('default/web:80+grpc');
    for (const { balance } of other.table.upstreams.values()) expect(balance).toBe('least-request');
    const none = steps.remove(policyOf('web', {}));
    expect(none.table.upstreams.get('default/web:80+grpc')?.balance).toBe('round-robin');
  });

  test('of an ExternalName ask for its name', () => {
    const steps = new CompileSteps({ allowExternalName: true });
    const external = { ports: [{ port: 80 }], type: 'ExternalName', externalName: 'api.example.' };
    const result = steps.set(
      { ...serviceOf('web'), spec: external },
      ingressOf('one', { annotations: { 'backend-protocol': 'HTTPS' } }),
    );
    expect(result.table.upstreams.get('default/web:80+https')?.tls?.name).toBe('api.example');
  });
});

describe('a Secret for TLS with endpoints', () => {
  test('is fetched because it is referred to, but not while no TLS is spoken', () => {
    const steps = start();
    const { 'backend-protocol': _, ...idle } = verified;
    expect([...steps.set(ingressOf('one', { annotations: idle })).references]).toEqual([]);
    const asked = steps.set(ingressOf('one', { annotations: verified }));
    expect([...asked.references]).toEqual(['Secret/default/ca']);
    expect(upstreamOf(asked, 'one')).toBe('SP_ROUTE_INVALID');
  });

  test('that is renewed leaves the upstream its id, and tells it', () => {
    const steps = start(ingressOf('one', { annotations: verified }));
    const first = steps.set(secretOf('ca', { 'ca.crt': authority.certificate }));
    const id = upstreamOf(first, 'one');
    expect(id).toMatch(/^default\/web:80\+https\.[0-9a-f]{8}$/);
    const renewed = TestAuthority.root();
    const second = steps.set(secretOf('ca', { 'ca.crt': renewed.certificate }));
    expect(upstreamOf(second, 'one')).toBe(id);
    expect(second.table.routes).toBe(first.table.routes);
    expect(second.changes.upstreams.set.map((upstream) => upstream.id)).toEqual([id]);
    const entry = second.table.authorities.get('default/ca');
    expect(entry).toMatchObject({ ca: renewed.certificate });
    expect(second.table.upstreams.get(id)?.tls?.authority).toEqual({
      id: 'default/ca',
      digest: entry?.digest,
    });
  });

  test('that turns to garbage, or goes, closes the routes: what it held before is not believed', () => {
    const steps = start(ingressOf('one', { annotations: verified }));
    steps.set(secretOf('ca', { 'ca.crt': authority.certificate }));
    const garbage = steps.set(secretOf('ca', { 'ca.crt': 'garbage' }));
    expect(upstreamOf(garbage, 'one')).toBe('SP_ROUTE_INVALID');
    expect([garbage.table.upstreams.size, garbage.table.authorities.size]).toEqual([0, 0]);
    steps.set(secretOf('ca', { 'ca.crt': authority.certificate }));
    expect(upstreamOf(steps.remove(secretOf('ca', {})), 'one')).toBe('SP_ROUTE_INVALID');
  });

  test('of a policy that turns to garbage takes the endpoints away, and only what speaks by the policy', () => {
    const steps = start(
      ingressOf('one'),
      ingressOf('plain', { annotations: { 'backend-protocol': 'HTTP' } }),
      policyOf('web', { tls: { caSecretName: 'ca' } }),
      secretOf('ca', { 'ca.crt': authority.certificate }),
    );
    const endpointsOf = ({ table }: CompileResult) =>
      new Map([...table.endpoints.values()].map(({ id, endpoints }) => [id, endpoints.length]));
    const closed = steps.set(secretOf('ca', { 'ca.crt': 'garbage' }));
    const taken = new Map([
      ['default/web:80', 0],
      ['default/web:80+http', 1],
    ]);
    expect(endpointsOf(closed)).toEqual(taken);
    expect(endpointsOf(steps.set(sliceOf('web', '10.0.0.9')))).toEqual(taken);
    const open = steps.set(secretOf('ca', { 'ca.crt': authority.certificate }));
    expect(endpointsOf(open).get('default/web:80')).toBe(1);
  });

  test('serves a host and an upstream at once, and stays until neither refers to it', () => {
    const pair = authority.client('web');
    const secret = secretOf('pair', { 'tls.crt': pair.certificate, 'tls.key': pair.key });
    const tls = [{ hosts: ['a.example'], secretName: 'pair' }];
    const site = { ...ingressOf('site'), spec: { tls, rules: [{ host: 'a.example' }] } };
    const client = ingressOf('client', {
      annotations: { 'backend-protocol': 'HTTPS', 'proxy-ssl-secret': 'pair' },
    });
    const steps = start(secret, site);
    const both = steps.set(client);
    const digest = both.table.certificates.get('default/pair')?.digest;
    expect(both.table.upstreams.get(upstreamOf(both, 'client'))?.tls?.certificate).toEqual({
      id: 'default/pair',
      digest,
    });
    expect([...steps.remove(site).table.certificates.keys()]).toEqual(['default/pair']);
    expect(steps.remove(client).table.certificates.size).toBe(0);
  });
});
