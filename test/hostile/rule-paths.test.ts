import { describe, expect, test } from '@jest/globals';

import { defaultCompileOptions } from '../../src/compile/compile-options.ts';
import { createCompiler } from '../../src/compile/compiler.ts';
import { listDiagnostics } from '../../src/compile/diagnostic-index.ts';
import { describeRef } from '../../src/diagnostics/diagnostic.ts';
import { decodeObject } from '../../src/model/decode-object.ts';
import { createSnapshot } from '../../src/model/snapshot-store.ts';
import type { RouteTable } from '../../src/table/route-table.ts';
import { decide, linkTable } from '../golden/decide.ts';

// Paths that users write into their objects, from bytes to routes: data, never syntax. Each either is matched as the text
// that it is or is refused with a diagnostic of its object; what others declared is the same with it and without it.

const shared = [
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'sallyport' },
    spec: { controller: 'sallyport.dev/ingress-controller' },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { ports: [{ port: 80 }] },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ port: 8080 }],
    endpoints: [{ addresses: ['10.0.0.1'] }],
  },
];
const good = ingress('good', [['Prefix', '/good']]);

function ingress(name: string, paths: readonly (readonly [type: string, path: string])[]): unknown {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name, namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      ingressClassName: 'sallyport',
      rules: [
        {
          host: 'a.example',
          http: { paths: paths.map(([pathType, path]) => ({ pathType, path, backend })) },
        },
      ],
    },
  };
}

function route(name: string, match: unknown): unknown {
  return {
    apiVersion: 'sallyport.dev/v1alpha1',
    kind: 'Route',
    metadata: { name, namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: {
      ingressClassName: 'sallyport',
      hosts: ['a.example'],
      rules: [{ matches: [{ path: match }], backends: [{ service: 'web', port: 80 }] }],
    },
  };
}

interface Compiled {
  readonly table: RouteTable;
  /** `Ingress default/hostile SP2004`, one of each. */
  readonly findings: readonly string[];
}

function compile(objects: readonly unknown[]): Compiled {
  const decoded = [...shared, ...objects].map((raw) => decodeObject(raw, { identity: 'content' }));
  const snapshot = createSnapshot(decoded.flatMap(({ object }) => object ?? []));
  const { table, diagnostics } = createCompiler(defaultCompileOptions).compile(snapshot);
  const found = [...decoded.flatMap((each) => each.diagnostics), ...listDiagnostics(diagnostics)];
  return {
    table: { generation: 1, ...table },
    findings: [...new Set(found.map(({ object, code }) => `${describeRef(object)} ${code}`))],
  };
}

const GOOD_ID = 'Ingress/default/good/0.0';

/** Routes besides the good one, which must be as it is alone. */
function othersThanGood({ table }: Compiled): readonly string[] {
  expect(table.routes.get(GOOD_ID)).toEqual(compile([good]).table.routes.get(GOOD_ID));
  return [...table.routes.keys()].filter((id) => id !== GOOD_ID);
}

describe('paths that are text', () => {
  // The request path that the rule must serve, and nothing beside it.
  test.each([
    ['P12 a brace', '/{x}', '/%7Bx%7D'],
    ['P12 a backtick', '/`id`', '/%60id%60'],
    ['P12 a semicolon', '/a;return', '/a;return'],
    ['P12 a dollar sign', '/$request_uri', '/$request_uri'],
    ['P12 an expression', '/${env:HOME}', '/$%7Benv:HOME%7D'],
    ['P12 a block that ends early', '/a";}', '/a%22;%7D'],
    ['P12 regex characters', '/(a|b)*.+', '/(a%7Cb)*.+'],
    ['P12 an invalid regex', '/(a[', '/(a%5B'],
    ['P12 4 KiB', `/${'a'.repeat(4095)}`, `/${'a'.repeat(4095)}`],
    ['P12 a blank', '/a b', '/a%20b'],
    ['P12 a letter beyond ASCII', '/é', '/%C3%A9'],
    ['P12 __proto__', '/__proto__', '/__proto__'],
  ])('%s', async (_, path, served) => {
    const compiled = compile([good, ingress('hostile', [['ImplementationSpecific', path]])]);
    expect(compiled.findings).toEqual([]);
    expect(othersThanGood(compiled)).toEqual(['Ingress/default/hostile/0.0']);
    const linked = await linkTable(compiled.table);
    const url = (target: string) => ({ url: `http://a.example${target}`, want: {} });
    expect(await decide(linked, url(served))).toMatchObject({
      route: 'Ingress/default/hostile/0.0',
      path: served,
    });
    expect(await decide(linked, url('/a'))).toEqual({ status: 404 });
    expect(await decide(linked, url('/good'))).toMatchObject({ route: GOOD_ID });
  });
});

describe('paths that are refused', () => {
  test.each([
    ['P12 a newline', 'Prefix', '/a\nb', 'SP1002'],
    ['P12 CR LF and a field', 'ImplementationSpecific', '/a\r\nX-A: b', 'SP1002'],
    ['P12 NUL', 'Exact', '/a\0', 'SP1002'],
    ['P12 no slash', 'Prefix', 'a', 'SP1002'],
    ['P12 a climb', 'Prefix', '/a/../b', 'SP1002'],
    ['P12 an encoded slash', 'Prefix', '/a%2fb', 'SP1002'],
    ['P12 a query', 'ImplementationSpecific', '/a?b', 'SP2004'],
    ['P12 a fragment', 'Prefix', '/a#b', 'SP2004'],
    ['P12 a backslash', 'Prefix', '/a\\b', 'SP2004'],
    ['P12 a bad triplet', 'Prefix', '/a%zz', 'SP2004'],
    ['P12 an encoded newline', 'Prefix', '/a%0ab', 'SP2004'],
    ['P12 an overlong form', 'Prefix', '/a%c0%af', 'SP2004'],
    ['P12 a surrogate', 'Prefix', '/a\ud800', 'SP2004'],
  ])('%s', (_, type, path, code) => {
    const compiled = compile([good, ingress('hostile', [[type, path]])]);
    expect(compiled.findings).toEqual([`Ingress default/hostile ${code}`]);
    expect(othersThanGood(compiled)).toEqual([]);
  });

  test.each([
    ['P12 an unclosed group', '/(a', 'SP2005'],
    ['P12 look-ahead', '/(?=a)', 'SP2005'],
    ['P12 a back-reference', '/(a)\\1', 'SP2005'],
    ['P12 a repetition that explodes', '/((a{1000}){1000})', 'SP2005'],
    ['P12 a newline in a pattern that ends early', '/a\n)', 'SP1002'],
  ])('%s as the pattern of a Route', (_, pattern, code) => {
    const compiled = compile([good, route('hostile', { type: 'Regex', value: pattern })]);
    expect(compiled.findings).toEqual([`Route default/hostile ${code}`]);
    expect(othersThanGood(compiled)).toEqual([]);
  });
});
