import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import type { Manifest } from '../support/cluster/manifest.ts';
import { apiVerdict, backendPolicy, controllerFaults, route } from '../support/crd-objects.ts';

// Objects that are nearly right: whatever the API server stores, the controller can read, and what the one refuses the
// other does too.

const folder = join(import.meta.dirname, '../../crds');
const manifests = readdirSync(folder).map((name) => join(folder, name));

const named = [{ name: 'a', type: 'Exact', value: 'b' }];
const retries = { tries: 2, retryOn: ['error', 'http_502'], timeout: '10s' };
const timeouts = { connect: '1s', send: '1m', read: '1m30s', request: '0s' };
const edits = { remove: ['x-a'], set: [{ name: 'X-B', value: 'b' }], add: [{ name: 'X-C', value: '' }] };

/** Without a class: of another one, the compiler would pass it over. */
const wholeRoute = route({
  hosts: ['a.example', '*.b.example'],
  tls: { secretName: 'a-tls', namespace: 'default' },
  rules: [
    {
      name: 'one',
      matches: [
        {
          path: { type: 'Prefix', value: '/a' },
          methods: ['GET'],
          headers: named,
          query: named,
          cookies: named,
          sourceRanges: ['10.0.0.0/8', '2001:db8::1'],
        },
      ],
      filters: [
        { rewriteHost: { host: 'shop.internal:8080' } },
        { rewritePath: { replacePrefix: '/b' } },
        { requestHeaders: edits },
        { responseHeaders: edits },
      ],
      backends: [{ service: 's', namespace: 'default', port: 'http', weight: 1 }],
      split: { by: 'header', name: 'X-User' },
      timeouts,
      retries,
    },
    {
      filters: [{ redirect: { scheme: 'https', host: 'a.example', port: 443, path: '/a', statusCode: 308 } }],
    },
  ],
});

const wholePolicy = backendPolicy({
  service: 's',
  balance: 'RoundRobin',
  protocol: 'HTTP1',
  timeouts,
  retries,
  connections: {
    maxRequests: 10,
    maxIdle: 1,
    idleTimeout: '10s',
    maxLifetime: '1h',
    maxRequestsPerConnection: 5,
  },
});

type Place = readonly (string | number)[];

/** Every place below `spec`. */
function placesOf(manifest: Manifest): readonly Place[] {
  const found: Place[] = [];
  const open: { readonly place: Place; readonly value: unknown }[] = [
    { place: ['spec'], value: manifest['spec'] },
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { place, value } = next;
    found.push(place);
    if (typeof value !== 'object' || value === null) continue;
    const keys = Array.isArray(value) ? value.keys() : Object.keys(value);
    for (const key of keys)
      open.push({ place: [...place, key], value: (value as Record<string | number, unknown>)[key] });
  }
  return found;
}

/** undefined takes the place away. */
function changed(manifest: Manifest, place: Place, value: unknown): Manifest {
  const copy = JSON.parse(JSON.stringify(manifest)) as Manifest;
  let holder = copy as unknown as Record<string | number, unknown>;
  for (const key of place.slice(0, -1)) {
    const next = holder[key];
    if (typeof next !== 'object' || next === null) return copy;
    holder = next as Record<string | number, unknown>;
  }
  const last = place.at(-1) ?? '';
  if (value === undefined && Array.isArray(holder)) holder.splice(Number(last), 1);
  else if (value === undefined) Reflect.deleteProperty(holder, last);
  else holder[last] = value;
  return copy;
}

const texts = fc.constantFrom(
  ...[
    '',
    'a',
    'A',
    'a b',
    'a\n',
    'é',
    '\u2028',
    '/',
    '//',
    '/a/../b',
    '/a%2Fb',
    '/(a',
    '*',
    '*.a',
    '*.1.2.3.4',
    '1.2.3',
    '1.2.3.4',
  ],
  ...[
    '10.0.0.0/8',
    '10.0.0.1/8',
    '0.0.0.0/0',
    '::/0',
    '::1',
    '::1.2.3.4',
    '[::1]',
    '[::1]:80',
    'a:80',
    'a:0',
    '80',
    'http',
    'a--b',
    'a.b',
    'a.',
  ],
  ...[
    '0s',
    '1s',
    '00000s',
    '99999h',
    '1h1m1s1ms',
    '1ms1ms1ms1ms1ms',
    '-1s',
    '1.5s',
    '1d',
    'GET',
    'get',
    'G T',
    '1',
    '1GET',
  ],
  ...[
    'Exact',
    'Prefix',
    'Regex',
    'Present',
    'Absent',
    'random',
    'header',
    'cookie',
    'address',
    'Host',
    'connection',
    'x-a',
    'X-B',
  ],
  ...[
    'a'.repeat(63),
    'a'.repeat(64),
    'a'.repeat(253),
    'a'.repeat(256),
    'a'.repeat(257),
    `/${'a'.repeat(1023)}`,
    `/${'é'.repeat(1023)}`,
  ],
  'a'.repeat(1025),
);
const values = fc.oneof(
  texts,
  fc.constantFrom(-1, 0, 1, 80, 304, 65_535, 65_536, 1_000_001, 1.5, true, false, null),
  fc.constantFrom([], {}, ['a'], ['a', 'a'], [{}], [null], { a: 1 }),
  fc.constant(undefined),
);

function edited(manifest: Manifest): fc.Arbitrary<Manifest> {
  const places = placesOf(manifest);
  const edit = fc.tuple(fc.constantFrom(...places), values);
  return fc.array(edit, { minLength: 1, maxLength: 2 }).map((list) =>
    // Deepest first, so that an edit does not take another's place away.
    list
      .toSorted(([a], [b]) => b.length - a.length)
      .reduce((object, [place, value]) => changed(object, place, value), manifest),
  );
}

/** What the API server alone refuses, by its message; the controller reads it in the one way that it can be meant. */
const lenient: readonly RegExp[] = [
  // One mention is enough.
  /Duplicate value/,
  // It counts as left out.
  /Invalid value: "": /,
  // A match without conditions holds for every request.
  /matches\[\d+\] in body should have at least 1 properties/,
  // Replacing a prefix where none is matched replaces nothing; a redirect never asks the backends.
  /replacePrefix needs matches/,
  /a rule with the filter redirect has no backends/,
];

describeWithCluster(
  'API server and controller',
  (cluster) => {
    test.each([
      ['Route', wholeRoute],
      ['BackendPolicy', wholePolicy],
    ])('agree on every %s', async (_, whole) => {
      expect(await apiVerdict(cluster(), whole)).toMatchObject({ accepted: true, message: '' });
      expect(controllerFaults(whole)).toEqual({ decoder: [], compiler: [] });
      await fc.assert(
        fc.asyncProperty(edited(whole), async (object) => {
          const { accepted, message } = await apiVerdict(cluster(), object);
          const { decoder, compiler } = controllerFaults(object);
          if (accepted) expect([object['spec'], decoder]).toEqual([object['spec'], []]);
          else if (!lenient.some((pattern) => pattern.test(message)))
            expect([message, decoder.length + compiler.length]).not.toEqual([message, 0]);
        }),
        { numRuns: 300 },
      );
    });
  },
  { manifests },
);
