import { describe, expect, test } from '@jest/globals';

import { decodeObject } from '../model/decode-object.ts';
import { objectKey, SnapshotStore } from '../model/snapshot-store.ts';
import type { ModelObject } from '../model/snapshot.ts';
import { defaultCompileOptions } from './compile-options.ts';
import type { CompileOptions } from './compile-options.ts';
import { createCompiler } from './compiler.ts';
import type { CompileResult } from './compiler.ts';

// What sources and reports rely on: which objects have to be fetched, and which are ours.

function decode(raw: object): ModelObject {
  const { object, diagnostics } = decodeObject(raw, { identity: 'content' });
  if (object === undefined) throw new Error(JSON.stringify(diagnostics));
  return object;
}

function ingress(name: string, { secret = '', className = '', namespace = 'default' } = {}): ModelObject {
  return decode({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace },
    spec: {
      ...(className === '' ? {} : { ingressClassName: className }),
      rules: [{ host: `${name}.example` }],
      ...(secret === '' ? {} : { tls: [{ secretName: secret }] }),
    },
  });
}

function namespaceWith(name: string, labels: object): ModelObject {
  return decode({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
}

function start(overrides: Partial<CompileOptions> = {}) {
  const store = new SnapshotStore();
  const compiler = createCompiler({ ...defaultCompileOptions, watchIngressWithoutClass: true, ...overrides });
  const run = (changes: Parameters<SnapshotStore['apply']>[0]): CompileResult => {
    const { snapshot, changed } = store.apply(changes);
    return compiler.compile(snapshot, changed);
  };
  return {
    set: (...objects: readonly ModelObject[]) => run(objects.map((object) => ({ type: 'set', object }))),
    remove: ({ kind, meta }: ModelObject) => run([{ type: 'delete', kind, key: objectKey(meta) }]),
  };
}

describe('references', () => {
  test('come with the first object that refers and go with the last', () => {
    const { set, remove } = start();
    const [one, two] = [ingress('one', { secret: 'cert' }), ingress('two', { secret: 'cert' })];
    expect([...set(one).references]).toEqual(['Secret/default/cert']);
    set(two);
    expect([...remove(one).references]).toEqual(['Secret/default/cert']);
    expect([...remove(two).references]).toEqual([]);
  });

  test('follow the object from one Secret to another, whether they exist or not', () => {
    const { set } = start();
    set(ingress('one', { secret: 'old' }));
    expect([...set(ingress('one', { secret: 'new' })).references]).toEqual(['Secret/default/new']);
    const secret = decode({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'new' } });
    expect([...set(secret).references]).toEqual(['Secret/default/new']);
  });

  test('stay the same set while none comes or goes', () => {
    const { set } = start();
    const { references } = set(ingress('one', { secret: 'cert' }));
    expect(set(ingress('two', { secret: 'cert' })).references).toBe(references);
    expect(set(ingress('three')).references).toBe(references);
    expect(set(decode({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'cert' } })).references).toBe(
      references,
    );
    expect(set(ingress('four', { secret: 'more' })).references).not.toBe(references);
    expect([...references]).toEqual(['Secret/default/cert']);
  });

  test('of objects that are not ours are none', () => {
    const { set } = start({ watchNamespaces: ['default'] });
    set(ingress('one', { secret: 'cert', className: 'other' }));
    expect(set(ingress('two', { secret: 'cert', namespace: 'elsewhere' })).references.size).toBe(0);
  });
});

describe('isOwned', () => {
  test('goes by class and namespace, as of the newest result', () => {
    const { set, remove } = start({ watchNamespaces: ['default'] });
    set(ingress('other', { className: 'other' }), ingress('far', { namespace: 'elsewhere' }));
    const result = set(ingress('mine'));
    const owned = ['default/mine', 'default/other', 'elsewhere/far', 'default/none'];
    expect(owned.map((key) => result.isOwned(`Ingress/${key}`))).toEqual([true, false, false, false]);
    expect(set(ingress('mine', { className: 'other' })).isOwned('Ingress/default/mine')).toBe(false);
    expect(set(ingress('mine')).isOwned('Ingress/default/mine')).toBe(true);
    expect(remove(ingress('mine')).isOwned('Ingress/default/mine')).toBe(false);
  });

  test('follows the IngressClass', () => {
    const { set } = start();
    const named = (controller: string) =>
      decode({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'IngressClass',
        metadata: { name: 'c' },
        spec: { controller },
      });
    const owned = (result: CompileResult) => result.isOwned('Ingress/default/one');
    expect(owned(set(ingress('one', { className: 'c' })))).toBe(false);
    expect(owned(set(named('sallyport.dev/ingress-controller')))).toBe(true);
    expect(owned(set(named('other.example/controller')))).toBe(false);
  });
});

describe('a namespace selector', () => {
  const selector = [{ key: 'team', operator: 'in', values: ['web'] }] as const;
  const inside = ingress('one', { namespace: 'a', secret: 'cert' });

  test('takes objects in and out as the labels of their Namespace change', () => {
    const { set, remove } = start({ namespaceSelector: selector });
    const state = (result: CompileResult) => [
      result.isOwned('Ingress/a/one'),
      [...result.references],
      result.compiledObjects,
    ];
    set();
    expect(state(set(inside, ingress('two', { namespace: 'b' })))).toEqual([false, [], 2]);
    expect(state(set(namespaceWith('a', { team: 'web' })))).toEqual([true, ['Secret/a/cert'], 1]);
    expect(state(set(namespaceWith('a', { team: 'web', more: 'yes' })))).toEqual([
      true,
      ['Secret/a/cert'],
      1,
    ]);
    expect(state(set(namespaceWith('a', { team: 'db' })))).toEqual([false, [], 1]);
    set(namespaceWith('a', { team: 'web' }));
    expect(state(remove(namespaceWith('a', {})))).toEqual([false, [], 1]);
  });

  test('holds within the list of namespaces', () => {
    const { set } = start({ namespaceSelector: selector, watchNamespaces: ['b'] });
    set(inside, ingress('two', { namespace: 'b' }));
    const result = set(namespaceWith('a', { team: 'web' }), namespaceWith('b', { team: 'web' }));
    expect([result.isOwned('Ingress/a/one'), result.isOwned('Ingress/b/two')]).toEqual([false, true]);
  });

  test('knows the name label that every Namespace has', () => {
    const byName = [{ key: 'kubernetes.io/metadata.name', operator: 'in', values: ['a'] }] as const;
    const { set } = start({ namespaceSelector: byName });
    expect(set(inside).isOwned('Ingress/a/one')).toBe(true);
  });

  test('without one, Namespaces concern nobody', () => {
    const { set } = start();
    set(inside);
    expect(set(namespaceWith('a', { team: 'web' })).compiledObjects).toBe(0);
  });
});
