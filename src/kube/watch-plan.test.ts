import { describe, expect, test } from '@jest/globals';

import { resources } from './resources.ts';
import { describeScope, watchPlan } from './watch-plan.ts';
import type { WatchPlan, WatchSettings } from './watch-plan.ts';

const everything: WatchSettings = {
  watchNamespaces: undefined,
  namespaceSelector: false,
  ingressClassByName: false,
  defaultBackendService: undefined,
  defaultCertificate: undefined,
};

const watched = ({ scopes }: WatchPlan): readonly string[] =>
  scopes
    .map(({ scope: { resource, namespace, name } }) =>
      [namespace ?? '*', resource.kind, name].join(' ').trim(),
    )
    .sort();

describe('watchPlan', () => {
  test('watches every kind but those read by name in every namespace, and no Namespaces', () => {
    const plan = watchPlan(everything);
    expect(watched(plan)).toEqual([
      '* BackendPolicy',
      '* EndpointSlice',
      '* Ingress',
      '* IngressClass',
      '* ReferenceGrant',
      '* Route',
      '* Service',
    ]);
    expect(plan.references).toEqual(new Set());
    expect(plan.scopes.filter(({ mayBeForbidden }) => mayBeForbidden)).toEqual([]);
  });

  test('watches Namespaces when a selector asks for their labels', () => {
    expect(watched(watchPlan({ ...everything, namespaceSelector: true }))).toContain('* Namespace');
  });

  test('asks for nothing beyond named namespaces but classes, and goes on when those are refused', () => {
    const plan = watchPlan({ ...everything, watchNamespaces: ['b', 'a', 'a'] });
    expect(watched(plan)).toEqual([
      '* IngressClass',
      ...['a', 'b'].flatMap((namespace) =>
        ['BackendPolicy', 'EndpointSlice', 'Ingress', 'ReferenceGrant', 'Route', 'Service'].map(
          (kind) => `${namespace} ${kind}`,
        ),
      ),
    ]);
    const optional = plan.scopes.filter(({ mayBeForbidden }) => mayBeForbidden);
    expect(optional.map(({ scope }) => scope.resource.kind)).toEqual(['IngressClass']);
  });

  test('needs no right on the cluster when the class goes by name in named namespaces', () => {
    const plan = watchPlan({ ...everything, watchNamespaces: ['a'], ingressClassByName: true });
    expect(plan.scopes.every(({ scope }) => scope.namespace === 'a')).toBe(true);
  });

  test('still reads classes in every namespace when the class goes by name', () => {
    expect(watched(watchPlan({ ...everything, ingressClassByName: true }))).toContain('* IngressClass');
  });

  test('reads the default backend outside of named namespaces, and no second time inside', () => {
    const outside = { ...everything, watchNamespaces: ['a'], defaultBackendService: 'infra/errors' };
    expect(watched(watchPlan(outside)).filter((scope) => scope.startsWith('infra'))).toEqual([
      'infra EndpointSlice',
      'infra Service errors',
    ]);
    const inside = { ...outside, defaultBackendService: 'a/errors' };
    const plain = { ...everything, watchNamespaces: ['a'] };
    expect(watched(watchPlan(inside))).toEqual(watched(watchPlan(plain)));
    const all = { ...everything, defaultBackendService: 'infra/errors' };
    expect(watched(watchPlan(all))).toEqual(watched(watchPlan(everything)));
  });

  test('fetches the default certificate and the secrets of session tickets by name', () => {
    const plan = watchPlan({
      ...everything,
      defaultCertificate: 'infra/wildcard',
      ticketSecret: 'infra/tickets',
    });
    expect(plan.references).toEqual(new Set(['Secret/infra/wildcard', 'Secret/infra/tickets']));
  });
});

describe('describeScope', () => {
  test.each([
    [{ resource: resources.Ingress }, 'ingresses.networking.k8s.io in every namespace'],
    [{ resource: resources.Service, namespace: 'a' }, 'services in namespace "a"'],
    [{ resource: resources.Secret, namespace: 'a', name: 'tls' }, 'secrets "tls" in namespace "a"'],
    [{ resource: resources.IngressClass }, 'ingressclasses.networking.k8s.io'],
  ])('%#', (scope, text) => expect(describeScope(scope)).toBe(text));
});
