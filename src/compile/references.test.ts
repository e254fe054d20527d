import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';

import { tlsPairs } from '../../test/support/tls-pairs.ts';
import type { DiagnosticCode } from '../diagnostics/catalogue.ts';
import { decodeObject } from '../model/decode-object.ts';
import { groupOf } from '../model/kinds.ts';
import { createSnapshot, SnapshotStore } from '../model/snapshot-store.ts';
import type { ModelObject } from '../model/snapshot.ts';
import { defaultCompileOptions } from './compile-options.ts';
import { createCompiler } from './compiler.ts';
import type { CompileResult } from './compiler.ts';
import { ObjectContext } from './object-context.ts';
import { parseNamespacedName, resolveReference } from './resolve-reference.ts';
import type { TargetKind } from './resolve-reference.ts';

// Who may refer to what: every kind of reference under every state of the grants, by itself and through the compiler.

const options = { ...defaultCompileOptions, watchIngressWithoutClass: true };

function decode(raw: object): ModelObject {
  const { object, diagnostics } = decodeObject(raw, { identity: 'content' });
  if (object === undefined) throw new Error(JSON.stringify(diagnostics));
  return object;
}

interface Wanted {
  readonly fromGroup: string;
  readonly fromKind: string;
  readonly toKind: TargetKind;
}

interface GrantParts {
  readonly name?: string;
  readonly namespace?: string;
  readonly from?: object;
  readonly to?: object;
}

function grant({ fromGroup, fromKind, toKind }: Wanted, parts: GrantParts = {}): ModelObject {
  return decode({
    apiVersion: 'gateway.networking.k8s.io/v1beta1',
    kind: 'ReferenceGrant',
    metadata: { name: parts.name ?? 'g', namespace: parts.namespace ?? 'theirs' },
    spec: {
      from: [{ group: fromGroup, kind: fromKind, namespace: 'ours', ...parts.from }],
      to: [{ group: groupOf(toKind), kind: toKind, ...parts.to }],
    },
  });
}

/** State of the grants → grants, and whether they allow a reference to `theirs/target`. */
const states: readonly (readonly [string, boolean, (wanted: Wanted) => readonly ModelObject[]])[] = [
  ['none, or no such CRD', false, () => []],
  ['right', true, (wanted) => [grant(wanted)]],
  ['right by name', true, (wanted) => [grant(wanted, { to: { name: 'target' } })]],
  ['for another name', false, (wanted) => [grant(wanted, { to: { name: 'other' } })]],
  ['from another group', false, (wanted) => [grant(wanted, { from: { group: 'apps' } })]],
  ['from another kind', false, (wanted) => [grant(wanted, { from: { kind: 'Gateway' } })]],
  ['from another namespace', false, (wanted) => [grant(wanted, { from: { namespace: 'third' } })]],
  ['to another group', false, (wanted) => [grant(wanted, { to: { group: 'apps' } })]],
  ['to another kind', false, (wanted) => [grant(wanted, { to: { kind: 'Pod' } })]],
  ['in our own namespace', false, (wanted) => [grant(wanted, { namespace: 'ours' })]],
  ['in a third namespace', false, (wanted) => [grant(wanted, { namespace: 'third' })]],
  [
    'right, among wrong ones',
    true,
    (wanted) => [grant(wanted, { name: 'a', to: { name: 'other' } }), grant(wanted, { name: 'b' })],
  ],
  [
    'each half in a grant of its own',
    false,
    (wanted) => [
      grant(wanted, { name: 'a', from: { kind: 'Gateway' } }),
      grant(wanted, { name: 'b', to: { kind: 'Pod' } }),
    ],
  ],
];

const pairs = ['Ingress', 'Route', 'BackendPolicy'].flatMap((fromKind) =>
  (['Service', 'Secret', 'ConfigMap'] as const).map((toKind): Wanted => {
    const fromGroup = fromKind === 'Ingress' ? 'networking.k8s.io' : 'sallyport.dev';
    return { fromGroup, fromKind, toKind };
  }),
);

describe.each(pairs)('$fromKind → $toKind', (wanted) => {
  const { fromKind, toKind } = wanted;
  const target = decode({
    apiVersion: 'v1',
    kind: toKind,
    metadata: { name: 'target', namespace: 'theirs' },
    spec: {},
  });
  const contextOf = (objects: readonly ModelObject[]): ObjectContext =>
    new ObjectContext({ kind: fromKind, namespace: 'ours', name: 'x' }, createSnapshot(objects), options);
  const ref = { kind: toKind, namespace: 'theirs', name: 'target', field: 'spec.ref' };

  test.each(states)('grant %s: allowed %s', (_, allowed, grants) => {
    for (const present of [[target], []]) {
      const context = contextOf([...present, ...grants(wanted)]);
      const found = resolveReference(ref, context);
      expect(found.granted).toBe(allowed);
      if (found.granted) expect(found.object).toBe(present[0]);
      const reads = ['ReferenceGrant/theirs', ...(allowed ? [`${toKind}/theirs/target`] : [])];
      expect([...context.reads]).toEqual(reads);
      expect(context.diagnostics.map(({ code, path }) => [code, path])).toEqual(
        allowed ? [] : [['SP2105', 'spec.ref']],
      );
    }
  });

  test('whether a refused object exists does not show', () => {
    const refusals = [[target], []].map((objects) => {
      const context = contextOf(objects);
      resolveReference(ref, context);
      return context.diagnostics;
    });
    expect(refusals[0]).toEqual(refusals[1]);
  });

  test('the hint of a refusal is a grant that allows it', () => {
    const context = contextOf([target]);
    resolveReference(ref, context);
    const hint = context.diagnostics[0]?.hint ?? '';
    const wantedGrant = load(hint.slice(hint.indexOf('{'))) as object;
    expect(resolveReference(ref, contextOf([target, decode(wantedGrant)])).granted).toBe(true);
  });

  test('inside of a namespace no grant is asked for', () => {
    const context = contextOf([]);
    expect(resolveReference({ ...ref, namespace: 'ours' }, context)).toEqual({
      granted: true,
      key: 'ours/target',
      object: undefined,
    });
    expect([...context.reads]).toEqual([`${toKind}/ours/target`]);
  });
});

describe('a reference in text', () => {
  test.each([
    ['name', { namespace: 'ours', name: 'name' }],
    [' theirs/a.b ', { namespace: 'theirs', name: 'a.b' }],
    ['', undefined],
    ['/name', undefined],
    ['theirs/', undefined],
    ['a/b/c', undefined],
    ['The/Irs', undefined],
    ['a.b/c', undefined],
  ])('%j', (text, expected) => {
    expect(parseNamespacedName(text, 'ours')).toEqual(expected);
  });
});

const route = decode({
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'Route',
  metadata: { name: 'r', namespace: 'ours' },
  spec: {
    hosts: ['a.example'],
    tls: { secretName: 'target', namespace: 'theirs' },
    rules: [{ backends: [{ service: 'target', namespace: 'theirs', port: 80 }] }],
  },
});
const service = decode({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'target', namespace: 'theirs' },
  spec: { ports: [{ port: 80 }] },
});
const secret = decode({
  apiVersion: 'v1',
  kind: 'Secret',
  type: 'kubernetes.io/tls',
  metadata: { name: 'target', namespace: 'theirs' },
  stringData: { 'tls.crt': tlsPairs.a.certificate, 'tls.key': tlsPairs.a.key },
});

/** What became of the two references of the Route. */
function outcome({ table, references, diagnostics }: CompileResult) {
  const action = table.routes.get('Route/ours/r/0.0')?.action;
  return {
    serves: action?.kind === 'forward' ? action.forward.backends[0]?.upstream : action?.code,
    endpointsKnown: [...table.endpoints.keys()],
    certificate: table.hosts.get('a.example')?.certificate,
    certificates: [...table.certificates.keys()],
    references: [...references],
    told: (diagnostics.get('Route/ours/r') ?? []).map(({ code, path }): [DiagnosticCode, string] => [
      code,
      path,
    ]),
  };
}

const wantedOf = (toKind: TargetKind): Wanted => ({ fromGroup: 'sallyport.dev', fromKind: 'Route', toKind });

function expected(serviceAllowed: boolean, secretAllowed: boolean) {
  return {
    serves: serviceAllowed ? 'theirs/target:80' : 'SP_ROUTE_INVALID',
    endpointsKnown: serviceAllowed ? ['theirs/target:80'] : [],
    certificate: secretAllowed ? 'theirs/target' : undefined,
    certificates: secretAllowed ? ['theirs/target'] : [],
    references: secretAllowed ? ['Secret/theirs/target'] : [],
    told: [
      ...(serviceAllowed ? [] : [['SP2105', 'spec.rules[0].backends[0]']]),
      ...(secretAllowed ? [] : [['SP2105', 'spec.tls.secretName']]),
    ],
  };
}

describe('through the compiler', () => {
  test.each(states)('grant %s: allowed %s, from nothing and coming and going', (_, allowed, grants) => {
    for (const toKind of ['Service', 'Secret'] as const) {
      const given = grants(wantedOf(toKind));
      const want = expected(allowed && toKind === 'Service', allowed && toKind === 'Secret');
      const objects = [route, service, secret];
      expect(outcome(createCompiler(options).compile(createSnapshot([...objects, ...given])))).toEqual(want);

      const store = new SnapshotStore();
      const compiler = createCompiler(options);
      const apply = (changes: Parameters<SnapshotStore['apply']>[0]) => {
        const { snapshot, changed } = store.apply(changes);
        return outcome(compiler.compile(snapshot, changed));
      };
      const set = (list: readonly ModelObject[]) => list.map((object) => ({ type: 'set' as const, object }));
      expect(apply(set(objects))).toEqual(expected(false, false));
      expect(apply(set(given))).toEqual(want);
      const gone = given.map(({ kind, meta }) => {
        return { type: 'delete' as const, kind, key: `${meta.namespace}/${meta.name}` };
      });
      expect(apply(gone)).toEqual(expected(false, false));
    }
  });

  test('a grant compiles again what refers into its namespace, and nothing else', () => {
    const store = new SnapshotStore();
    const compiler = createCompiler(options);
    const other = decode({
      apiVersion: 'sallyport.dev/v1alpha1',
      kind: 'Route',
      metadata: { name: 'other', namespace: 'ours' },
      spec: { hosts: ['b.example'], rules: [{ backends: [{ service: 'own', port: 80 }] }] },
    });
    compiler.compile(store.apply([route, other].map((object) => ({ type: 'set', object }))).snapshot);
    const step = (object: ModelObject) => {
      const { snapshot, changed } = store.apply([{ type: 'set', object }]);
      return compiler.compile(snapshot, changed).compiledObjects;
    };
    expect(step(grant(wantedOf('Service')))).toBe(1);
    expect(step(grant(wantedOf('Service'), { namespace: 'third' }))).toBe(0);
  });

  test("a default backend is the operator's choice and needs no grant", () => {
    const compiler = createCompiler({ ...options, defaultBackendService: 'theirs/target' });
    const { table, diagnostics } = compiler.compile(createSnapshot([service]));
    expect([...table.upstreams.keys()]).toEqual(['theirs/target:80']);
    expect(diagnostics.size).toBe(0);
  });

  test('a lost host does not tell what Secret another namespace has', () => {
    const ingress = (namespace: string, created: string) =>
      decode({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'i', namespace, creationTimestamp: created },
        spec: {
          tls: [{ hosts: ['a.example'], secretName: `secret-of-${namespace}` }],
          rules: [{ host: 'a.example' }],
        },
      });
    const objects = [ingress('theirs', '2026-01-01T00:00:00Z'), ingress('ours', '2026-01-02T00:00:00Z')];
    const { diagnostics } = createCompiler(options).compile(createSnapshot(objects));
    const told = diagnostics.get('Ingress/ours/i') ?? [];
    expect(told.map(({ code }) => code)).toContain('SP3002');
    expect(JSON.stringify(told)).not.toContain('secret-of-theirs');
  });

  test('a refused Secret takes no host from an object that may use its own', () => {
    const younger = decode({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'i', namespace: 'theirs', creationTimestamp: '2026-01-01T00:00:00Z' },
      spec: {
        tls: [{ hosts: ['a.example'], secretName: 'target' }],
        rules: [{ host: 'a.example' }],
      },
    });
    const { table, diagnostics } = createCompiler(options).compile(createSnapshot([route, secret, younger]));
    expect(table.hosts.get('a.example')?.certificate).toBe('theirs/target');
    expect(diagnostics.has('Ingress/theirs/i')).toBe(false);
  });
});
