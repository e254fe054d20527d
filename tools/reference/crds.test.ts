import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { load, loadAll } from 'js-yaml';
import { parseRouteFilter } from '../../test/support/filter-harness.ts';
import { nodesOf, structuralFaults, valueFaults } from '../../test/support/structural-schema.ts';
import { filterRegistry } from '../../src/filters/registry.ts';
import { backendPolicySchema } from '../../src/model/backend-policy-schema.ts';
import { decodeObject } from '../../src/model/decode-object.ts';
import { routeSchema } from '../../src/model/route-schema.ts';
import type { Schema } from '../../src/model/schema.ts';
import { backendPolicyExample } from './backend-policy-page.ts';
import { backendPolicyCrd, routeFilters, routeCrd } from './crds.ts';
import { routeExample } from './route-example.ts';

const root = join(import.meta.dirname, '../..');
const schemas = new Map<string, Schema>([
  ['Route', routeSchema(routeFilters(filterRegistry))],
  ['BackendPolicy', backendPolicySchema],
]);
const schemaOf = (kind: string): Schema => schemas.get(kind) ?? {};
const decoderFaults = (value: unknown): readonly string[] =>
  decodeObject(value, { identity: 'content' }).diagnostics.map(({ path, message }) => `${path}: ${message}`);

/** A Route with this spec. */
const route = (spec: unknown) => ({
  apiVersion: 'sallyport.dev/v1alpha1',
  kind: 'Route',
  metadata: { name: 'r', namespace: 'n' },
  spec,
});
const rule = (fields: unknown) => route({ rules: [fields] });
const backends = [{ service: 's', port: 80 }];

const namedMatch = [{ name: 'a', type: 'Exact', value: 'b' }];
/** Uses every field that the schema has, apart from filters. */
const maximal = route({
  ingressClassName: 'c',
  hosts: ['a.example', '*.b.example'],
  tls: {
    secretName: 't',
    namespace: 'n',
    clientCertificate: {
      caSecretName: 'ca',
      namespace: 'n',
      mode: 'Optional',
      verifyDepth: 2,
      matchCommonName: 'CN=a',
      errorPage: 'https://help.example/',
      passToUpstream: true,
    },
  },
  rules: [
    {
      name: 'one',
      matches: [
        {
          path: { type: 'Exact', value: '/' },
          methods: ['GET'],
          headers: namedMatch,
          query: namedMatch,
          cookies: namedMatch,
          sourceRanges: ['10.0.0.0/8'],
        },
        { grpc: { service: 'shop.v1.Cart', method: 'AddItem' } },
      ],
      filters: [{ rewriteHost: { host: 'x' } }],
      backends: [{ service: 's', namespace: 'n', port: 'http', weight: 0 }],
      split: { by: 'header', name: 'X-User' },
      timeouts: { connect: '1s', send: '1s', read: '1s', request: '0s' },
      retries: { tries: 1, retryOn: ['error'], timeout: '0s' },
    },
  ],
});

/** Every object inside a document with its path, `[]` for items. Filter values are left out. */
function objectsIn(
  document: unknown,
): readonly { readonly path: string; readonly fields: Record<string, unknown> }[] {
  const found: { readonly path: string; readonly fields: Record<string, unknown> }[] = [];
  const open: { readonly path: string; readonly value: unknown }[] = [{ path: '', value: document }];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const { path, value } = place;
    if (path.endsWith('.filters') || path === '.metadata') continue;
    if (Array.isArray(value))
      open.push(...value.map((item: unknown) => ({ path: `${path}[]`, value: item })));
    else if (typeof value === 'object' && value !== null) {
      const fields = value as Record<string, unknown>;
      found.push({ path, fields });
      open.push(
        ...Object.entries(fields).map(([name, member]) => ({ path: `${path}.${name}`, value: member })),
      );
    }
  }
  return found;
}

describe.each([
  ['Route', routeCrd(filterRegistry), 'routes', 'spr'],
  ['BackendPolicy', backendPolicyCrd(), 'backendpolicies', 'spbp'],
])('the CRD of %s', (kind, text, plural, shortName) => {
  interface Manifest {
    readonly metadata: { readonly name: string };
    readonly spec: {
      readonly names: Readonly<Record<string, unknown>>;
      readonly versions: readonly Readonly<Record<string, unknown>>[];
    };
  }
  const manifest = load(text) as Manifest;

  test('is structural, bounded and fit for server-side apply', () => {
    expect(structuralFaults(schemaOf(kind))).toEqual([]);
  });

  test('says of every field what it is, so that kubectl explain does', () => {
    // What is said of an object by its holder: the API server describes these three itself.
    const spoken = nodesOf(schemaOf(kind)).filter(
      ({ path }) => !path.endsWith('[]') && !['.apiVersion', '.kind', '.metadata'].includes(path),
    );
    const silent = spoken.filter(({ schema }) => typeof schema['description'] !== 'string');
    expect(silent.map(({ path }) => path)).toEqual([]);
  });

  test('has names, status and columns', () => {
    expect(manifest.metadata.name).toBe(`${plural}.sallyport.dev`);
    expect(manifest.spec.names).toMatchObject({
      kind,
      plural,
      shortNames: [shortName],
      categories: ['sallyport'],
    });
    const [version] = manifest.spec.versions;
    expect(version).toMatchObject({
      name: 'v1alpha1',
      served: true,
      storage: true,
      subresources: { status: {} },
    });
    expect(version?.['additionalPrinterColumns']).toContainEqual({
      description: 'Whether every worker serves by it',
      name: 'Programmed',
      type: 'string',
      jsonPath: '.status.conditions[?(@.type=="Programmed")].status',
    });
  });

  test('holds the schema as it is declared', () => {
    expect(manifest.spec.versions[0]?.['schema']).toEqual({ openAPIV3Schema: schemaOf(kind) });
  });
});

describe('schema and decoder are in step', () => {
  test('the maximal Route uses every field and passes both', () => {
    expect(valueFaults(maximal, schemaOf('Route'))).toEqual([]);
    expect(decoderFaults(maximal)).toEqual([]);
    const used = new Set(
      objectsIn(maximal).flatMap(({ path, fields }) => Object.keys(fields).map((name) => `${path}.${name}`)),
    );
    const declared = nodesOf(schemaOf('Route'))
      .map(({ path }) => path)
      .filter((path) => path.startsWith('.spec.') && !path.includes('.filters[]') && !path.endsWith('[]'));
    expect(declared.filter((path) => !used.has(path))).toEqual([]);
  });

  test('the decoder knows no field that the schema lacks', () => {
    const properties = new Map(
      nodesOf(schemaOf('Route')).map(
        ({ path, schema }) => [path, Object.keys(schema['properties'] ?? {})] as const,
      ),
    );
    for (const { path, fields } of objectsIn(maximal)) {
      fields['zz'] = 1;
      const message = decoderFaults(maximal).find((fault) => fault.includes('"zz"')) ?? '';
      delete fields['zz'];
      const known = message.slice(message.indexOf('want one of ') + 'want one of '.length).split(', ');
      expect([path, ...known.toSorted()]).toEqual([path, ...(properties.get(path) ?? []).toSorted()]);
    }
  });

  test.each([
    ['no rules', route({ rules: [] })],
    ['no spec', { ...route({}), spec: undefined }],
    ['an unknown path type', rule({ matches: [{ path: { type: 'Suffix', value: '/' } }], backends })],
    ['a path without value', rule({ matches: [{ path: {} }], backends })],
    ['a lower-case method', rule({ matches: [{ methods: ['get'] }], backends })],
    [
      'a header name with a space',
      rule({ matches: [{ headers: [{ name: 'a b', type: 'Present' }] }], backends }),
    ],
    [
      'an unknown match type',
      rule({ matches: [{ query: [{ name: 'a', type: 'Near', value: 'b' }] }], backends }),
    ],
    ['a range that is a name', rule({ matches: [{ sourceRanges: ['home'] }], backends })],
    ['a backend without port', rule({ backends: [{ service: 's' }] })],
    ['port 0', rule({ backends: [{ service: 's', port: 0 }] })],
    ['port 65536', rule({ backends: [{ service: 's', port: 65_536 }] })],
    ['a Service name in upper case', rule({ backends: [{ service: 'S', port: 1 }] })],
    ['a negative weight', rule({ backends: [{ service: 's', port: 1, weight: -1 }] })],
    ['a weight above a million', rule({ backends: [{ service: 's', port: 1, weight: 1_000_001 }] })],
    ['a split by weather', rule({ backends, split: { by: 'weather' } })],
    ['a duration without unit', rule({ backends, timeouts: { read: '30' } })],
    ['a duration with a fraction', rule({ backends, timeouts: { request: '1.5s' } })],
    ['no tries', rule({ backends, retries: { tries: 0 } })],
    ['an unknown retry cause', rule({ backends, retries: { retryOn: ['http_418'] } })],
    ['a secret without name', route({ tls: { secretName: '' }, rules: [{ backends }] })],
    ['clients without an authority', route({ tls: { clientCertificate: {} }, rules: [{ backends }] })],
    [
      'an error page without scheme',
      route({
        tls: { clientCertificate: { caSecretName: 'a', errorPage: '/sorry' } },
        rules: [{ backends }],
      }),
    ],
    ['a gRPC service with a slash', rule({ matches: [{ grpc: { service: 'a/b' } }], backends })],
    ['a gRPC method with a dot', rule({ matches: [{ grpc: { method: 'a.b' } }], backends })],
    ['a rule that is a list', route({ rules: [[]] })],
  ])('both refuse %s', (_, value) => {
    expect(valueFaults(value, schemaOf('Route'))).not.toEqual([]);
    expect(decoderFaults(value)).not.toEqual([]);
  });
});

describe('examples', () => {
  const documents: (readonly [string, unknown])[] = [
    ['docs/reference/route.md', routeExample],
    ['docs/reference/backend-policy.md', backendPolicyExample],
  ];
  for (const file of readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })) {
    if (!/\.ya?ml$/.test(file)) continue;
    for (const [index, document] of loadAll(readFileSync(join(root, 'examples', file), 'utf8')).entries()) {
      const kind = (document as { readonly kind?: string } | null)?.kind ?? '';
      if (schemas.has(kind)) documents.push([`examples/${file}[${index}]`, document]);
    }
  }

  test.each(documents)('%s passes schema, decoder and filters', (_, document) => {
    const { kind, spec } = document as {
      readonly kind: string;
      readonly spec: { readonly rules?: readonly Rule[] };
    };
    expect(valueFaults(document, schemaOf(kind))).toEqual([]);
    expect(decoderFaults(document)).toEqual([]);
    for (const filter of (spec.rules ?? []).flatMap(({ filters = [] }) => filters)) {
      for (const [name, value] of Object.entries(filter))
        expect([name, reportsOf(name, value)]).toEqual([name, []]);
    }
  });

  interface Rule {
    readonly filters?: readonly Readonly<Record<string, unknown>>[];
  }

  const reportsOf = (name: string, value: unknown) => {
    const spec = filterRegistry.find(name);
    return spec === undefined ? ['unknown'] : parseRouteFilter(spec, value).reports;
  };

  const withRoute = filterRegistry.specs.flatMap(({ name, route: half }) =>
    half === undefined ? [] : [{ name, half }],
  );
  test.each(withRoute)('the example of $name passes its schema and its parser', ({ name, half }) => {
    expect(valueFaults(half.example, half.schema)).toEqual([]);
    expect(reportsOf(name, half.example)).toEqual([]);
  });
});
