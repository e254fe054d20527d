import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { filterRegistry } from '../../src/filters/registry.ts';
import { routeSchema } from '../../src/model/route-schema.ts';
import { routeExample } from '../../tools/reference/route-example.ts';
import { routeFilters } from '../../tools/reference/crds.ts';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';
import type { Manifest } from '../support/cluster/manifest.ts';
import {
  apiVerdict,
  controllerFaults,
  route,
  routeKind,
  storedObjects,
  unspoken,
} from '../support/crd-objects.ts';
import { refusedEdgeRoutes } from '../support/refused-edge-routes.ts';

const folder = join(import.meta.dirname, '../../crds');
const manifests = readdirSync(folder).map((name) => join(folder, name));

const backends = [{ service: 's', port: 80 }];
const rule = (fields: Readonly<Record<string, unknown>>): Manifest => route({ rules: [fields] });
const matching = (match: unknown): Manifest => rule({ matches: [match], backends });
const filtered = (...filters: readonly unknown[]): Manifest => rule({ filters, backends });
const long = (length: number): string => 'a'.repeat(length);
const many = <T>(count: number, item: (index: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, index) => item(index));

const r0 = 'spec.rules[0]';
const m0 = `${r0}.matches[0]`;
const f0 = `${r0}.filters[0]`;
const field = 'spec.rules[0].filters[0].requestHeaders';

/** What is wrong, the object, and the message of the API server (its start, or all of it). */
const bad: readonly (readonly [string, Manifest, string])[] = [
  // Of the whole.
  ['no spec', { ...route({}), spec: undefined }, 'spec: Required value'],
  ['no rules', route({}), 'spec.rules: Required value'],
  [
    'an empty list of rules',
    route({ rules: [] }),
    'spec.rules: Invalid value: 0: spec.rules in body should have at least 1 items',
  ],
  [
    '65 rules',
    route({ rules: many(65, () => ({ backends })) }),
    'spec.rules: Too many: 65: must have at most 64 items',
  ],
  [
    'a class that is no name',
    route({ ingressClassName: 'A b', rules: [{ backends }] }),
    'spec.ingressClassName: Invalid value: "A b": spec.ingressClassName in body should match',
  ],
  [
    '65 hosts',
    route({ hosts: many(65, (index) => `h${index}.example`), rules: [{ backends }] }),
    'spec.hosts: Too many: 65: must have at most 64 items',
  ],
  [
    'a host twice',
    route({ hosts: ['a.example', 'a.example'], rules: [{ backends }] }),
    'spec.hosts[1]: Duplicate value: "a.example"',
  ],
  ...(
    [
      'A.example',
      'a.example:80',
      '192.0.2.1',
      '2001:db8::1',
      '*',
      'a.*.example',
      'a..example',
      'a.example/',
      '-a.example',
    ] as const
  ).map(
    (host) =>
      [
        `the host ${host}`,
        route({ hosts: [host], rules: [{ backends }] }),
        `spec.hosts[0]: Invalid value: "${host}": a host is a lower-case DNS name, or '*.' before one; no port, no address`,
      ] as const,
  ),
  [
    'an empty host',
    route({ hosts: [''], rules: [{ backends }] }),
    'spec.hosts[0]: Invalid value: "": spec.hosts[0] in body should be at least 1 chars long',
  ],
  [
    'a host of 254 characters',
    route({ hosts: [`${long(60)}.${long(60)}.${long(60)}.${long(60)}.${long(10)}`], rules: [{ backends }] }),
    'spec.hosts[0]: Too long: may not be more than 253 bytes',
  ],
  ...refusedEdgeRoutes,
  [
    'a Secret that is no name',
    route({ tls: { secretName: 'a/b' }, rules: [{ backends }] }),
    'spec.tls.secretName: Invalid value: "a/b"',
  ],
  [
    'a namespace of the Secret that is none',
    route({ tls: { secretName: 'a', namespace: 'A' }, rules: [{ backends }] }),
    'spec.tls.namespace: Invalid value: "A"',
  ],

  // Of a rule.
  [
    'a rule without backends',
    rule({}),
    `${r0}: Invalid value: a rule needs backends, or the filter redirect`,
  ],
  [
    'a rule with an empty list of backends',
    rule({ backends: [] }),
    `${r0}: Invalid value: a rule needs backends, or the filter redirect`,
  ],
  [
    'a redirect beside backends',
    filtered({ redirect: { scheme: 'https' } }),
    `${r0}: Invalid value: a rule with the filter redirect has no backends`,
  ],
  [
    'a replaced prefix where there is none',
    rule({
      matches: [{ path: { type: 'Regex', value: '/a.*' } }],
      filters: [{ rewritePath: { replacePrefix: '/b' } }],
      backends,
    }),
    `${r0}: Invalid value: replacePrefix needs matches of type Prefix or Exact: a regular expression has no prefix`,
  ],
  [
    'a redirect that replaces a prefix where there is none',
    rule({
      matches: [{ path: { type: 'Regex', value: '/a.*' } }],
      filters: [{ redirect: { replacePrefix: '/b' } }],
    }),
    `${r0}: Invalid value: replacePrefix needs matches`,
  ],
  ['a name in upper case', rule({ name: 'One', backends }), `${r0}.name: Invalid value: "One"`],
  [
    '17 matches',
    rule({ matches: many(17, (index) => ({ path: { value: `/${index}` } })), backends }),
    `${r0}.matches: Too many: 17: must have at most 16 items`,
  ],
  [
    '17 filters',
    rule({ filters: many(17, () => ({ rewriteHost: { host: 'a' } })), backends }),
    `${r0}.filters: Too many: 17: must have at most 16 items`,
  ],
  [
    '17 backends',
    rule({ backends: many(17, () => backends[0]) }),
    `${r0}.backends: Too many: 17: must have at most 16 items`,
  ],
  [
    'a field that does not exist',
    rule({ backends, retry: 3 }),
    'Route in version "v1alpha1" cannot be handled as a Route: strict decoding error: unknown field "spec.rules[0].retry"',
  ],

  // Of matches.
  [
    'a match without conditions',
    matching({}),
    `${m0}: Invalid value: 0: ${m0} in body should have at least 1 properties`,
  ],
  ['a path without value', matching({ path: {} }), `${m0}.path.value: Required value`],
  [
    'an unknown path type',
    matching({ path: { type: 'Suffix', value: '/' } }),
    `${m0}.path.type: Unsupported value: "Suffix": supported values: "Exact", "Prefix", "Regex"`,
  ],
  [
    'a path that starts with a letter',
    matching({ path: { value: 'a' } }),
    `${m0}.path: Invalid value: a path must start with '/'`,
  ],
  ...['/a//b', '/a/./b', '/a/..', '/.', '/a%2fb', '/a%2Fb'].map(
    (value) =>
      [
        `the path ${value}`,
        matching({ path: { value } }),
        `${m0}.path: Invalid value: a path has no double slash, no dot segment and no encoded slash`,
      ] as const,
  ),
  [
    'a path with a line break',
    matching({ path: { value: '/a\nb' } }),
    `${m0}.path.value: Invalid value: "/a\\nb"`,
  ],
  [
    'a path of 1025 characters',
    matching({ path: { value: `/${long(1024)}` } }),
    `${m0}.path.value: Too long: may not be more than 1024 bytes`,
  ],
  ['a method in lower case', matching({ methods: ['get'] }), `${m0}.methods[0]: Invalid value: "get"`],
  ['a method twice', matching({ methods: ['GET', 'GET'] }), `${m0}.methods[1]: Duplicate value: "GET"`],
  [
    'a header name with a space',
    matching({ headers: [{ name: 'a b', value: 'c' }] }),
    `${m0}.headers[0].name: Invalid value: "a b"`,
  ],
  [
    'a header without value',
    matching({ headers: [{ name: 'a' }] }),
    `${m0}.headers[0]: Invalid value: Exact and Regex need a value; Present and Absent have none`,
  ],
  [
    'a parameter that is present with a value',
    matching({ query: [{ name: 'a', type: 'Present', value: 'b' }] }),
    `${m0}.query[0]: Invalid value: Exact and Regex need a value; Present and Absent have none`,
  ],
  [
    'a cookie that is absent with a value',
    matching({ cookies: [{ name: 'a', type: 'Absent', value: 'b' }] }),
    `${m0}.cookies[0]: Invalid value: Exact and Regex need a value; Present and Absent have none`,
  ],
  ...['headers', 'query', 'cookies'].flatMap(
    (list) =>
      [
        [
          `${list} without a name`,
          matching({ [list]: [{ value: 'b' }] }),
          `${m0}.${list}[0].name: Required value`,
        ],
        [
          `${list} compared in an unknown way`,
          matching({ [list]: [{ name: 'a', type: 'Near', value: 'b' }] }),
          `${m0}.${list}[0].type: Unsupported value: "Near"`,
        ],
      ] as const,
  ),
  [
    'a value with a NUL',
    matching({ query: [{ name: 'a', value: 'b\u0000' }] }),
    `${m0}.query[0].value: Invalid value: "b\\x00"`,
  ],
  [
    'a range that is a name',
    matching({ sourceRanges: ['home'] }),
    `${m0}.sourceRanges[0]: Invalid value: "home"`,
  ],
  ...['10.0.0.0/33', '10.0.0', '10.0.0.0/08', '300.0.0.1', '2001:db8::/129'].map(
    (range) =>
      [
        `the range ${range}`,
        matching({ sourceRanges: [range] }),
        `${m0}.sourceRanges[0]: Invalid value: "${range}": a range is an address, or a CIDR such as 10.0.0.0/8`,
      ] as const,
  ),

  // Of backends.
  [
    'a backend without port',
    rule({ backends: [{ service: 's' }] }),
    `${r0}.backends[0].port: Required value`,
  ],
  [
    'a backend without Service',
    rule({ backends: [{ port: 80 }] }),
    `${r0}.backends[0].service: Required value`,
  ],
  [
    'a Service in upper case',
    rule({ backends: [{ service: 'S', port: 80 }] }),
    `${r0}.backends[0].service: Invalid value: "S"`,
  ],
  [
    'port 0',
    rule({ backends: [{ service: 's', port: 0 }] }),
    `${r0}.backends[0].port: Invalid value: 0: ${r0}.backends[0].port in body should be greater than or equal to 1`,
  ],
  [
    'port 65536',
    rule({ backends: [{ service: 's', port: 65_536 }] }),
    `${r0}.backends[0].port: Invalid value: 65536: ${r0}.backends[0].port in body should be less than or equal to 65535`,
  ],
  ...['HTTP', '80', 'a--b', '-a', ''].map(
    (port) =>
      [
        `the port ${JSON.stringify(port)}`,
        rule({ backends: [{ service: 's', port }] }),
        `${r0}.backends[0].port: Invalid value: "${port}": a port is a number, or a name of lower-case letters, digits and single hyphens with a letter in it`,
      ] as const,
  ),
  [
    'a negative weight',
    rule({ backends: [{ ...backends[0], weight: -1 }] }),
    `${r0}.backends[0].weight: Invalid value: -1`,
  ],
  [
    'a weight above a million',
    rule({ backends: [{ ...backends[0], weight: 1_000_001 }] }),
    `${r0}.backends[0].weight: Invalid value: 1000001`,
  ],
  [
    'only weights of 0',
    rule({ backends: [{ ...backends[0], weight: 0 }] }),
    `${r0}.backends: Invalid value: at least one backend needs a weight above 0`,
  ],
  [
    'a split by weather',
    rule({ backends, split: { by: 'weather' } }),
    `${r0}.split.by: Unsupported value: "weather"`,
  ],
  [
    'a split by header without name',
    rule({ backends, split: { by: 'header' } }),
    `${r0}.split: Invalid value: a split by header or cookie needs its name; others have none`,
  ],
  [
    'a split by address with a name',
    rule({ backends, split: { by: 'address', name: 'a' } }),
    `${r0}.split: Invalid value: a split by header or cookie needs its name; others have none`,
  ],
  [
    'a duration without unit',
    rule({ backends, timeouts: { read: '30' } }),
    `${r0}.timeouts.read: Invalid value: "30"`,
  ],
  [
    'no time to connect',
    rule({ backends, timeouts: { connect: '0s' } }),
    `${r0}.timeouts.connect: Invalid value: "0s": this duration must be above 0`,
  ],
  [
    'no time to send',
    rule({ backends, timeouts: { send: '0h0ms' } }),
    `${r0}.timeouts.send: Invalid value: "0h0ms": this duration must be above 0`,
  ],
  ['no tries', rule({ backends, retries: { tries: 0 } }), `${r0}.retries.tries: Invalid value: 0`],
  ['101 tries', rule({ backends, retries: { tries: 101 } }), `${r0}.retries.tries: Invalid value: 101`],
  [
    'an unknown cause to retry',
    rule({ backends, retries: { retryOn: ['http_418'] } }),
    `${r0}.retries.retryOn[0]: Unsupported value: "http_418"`,
  ],

  // Of filters.
  [
    'a filter without name',
    filtered({}),
    `${f0}: Invalid value: an entry of filters names exactly one filter that this version knows`,
  ],
  [
    'two filters in one entry',
    filtered({ rewriteHost: { host: 'a' }, rewritePath: { replaceFull: '/' } }),
    `${f0}: Invalid value: an entry of filters names exactly one filter that this version knows`,
  ],
  [
    'an unknown filter',
    filtered({ authenticate: {} }),
    'Route in version "v1alpha1" cannot be handled as a Route: strict decoding error: unknown field "spec.rules[0].filters[0].authenticate"',
  ],
  [
    'a host with a scheme',
    filtered({ rewriteHost: { host: 'http://a' } }),
    `${f0}.rewriteHost.host: Invalid value: "http://a": want a host name or address, with a port if need be`,
  ],
  [
    'a host with port 70000',
    filtered({ rewriteHost: { host: 'a:70000' } }),
    `${f0}.rewriteHost.host: Invalid value: "a:70000": want a host name or address, with a port if need be`,
  ],
  [
    'two ways to rewrite',
    filtered({ rewritePath: { replacePrefix: '/a', replaceFull: '/b' } }),
    `${f0}.rewritePath: Invalid value: exactly one of replacePrefix, replaceFull and regex is needed`,
  ],
  [
    'no way to rewrite',
    filtered({ rewritePath: {} }),
    `${f0}.rewritePath: Invalid value: exactly one of replacePrefix, replaceFull and regex is needed`,
  ],
  [
    'a new path with a query',
    filtered({ rewritePath: { replaceFull: '/a?b' } }),
    `${f0}.rewritePath.replaceFull: Invalid value: "/a?b"`,
  ],
  [
    'a pattern without substitution',
    filtered({ rewritePath: { regex: { pattern: '/a' } } }),
    `${f0}.rewritePath.regex.substitution: Required value`,
  ],
  [
    'a redirect to itself',
    rule({ filters: [{ redirect: {} }] }),
    `${f0}.redirect: Invalid value: at least one of scheme, host, port, path, replacePrefix is needed, else the redirect leads to itself`,
  ],
  [
    'a redirect to two paths',
    rule({ filters: [{ redirect: { path: '/a', replacePrefix: '/b' } }] }),
    `${f0}.redirect: Invalid value: path and replacePrefix exclude each other`,
  ],
  [
    'a redirect by 304',
    rule({ filters: [{ redirect: { path: '/a', statusCode: 304 } }] }),
    `${f0}.redirect.statusCode: Unsupported value: 304`,
  ],
  [
    'a redirect to HTTPS of an unknown status',
    rule({ filters: [{ httpsRedirect: { statusCode: 303 } }] }),
    `${f0}.httpsRedirect.statusCode: Unsupported value: 303`,
  ],
  [
    'an origin with a path',
    filtered({ cors: { allowOrigins: ['https://a.example/'] } }),
    `${f0}.cors.allowOrigins[0]: Invalid value: "https://a.example/"`,
  ],
  [
    'a redirect to port 0',
    rule({ filters: [{ redirect: { port: 0 } }] }),
    `${f0}.redirect.port: Invalid value: 0`,
  ],
  [
    'a redirect to another scheme',
    rule({ filters: [{ redirect: { scheme: 'ftp' } }] }),
    `${f0}.redirect.scheme: Unsupported value: "ftp"`,
  ],
  [
    'header edits that change nothing',
    filtered({ requestHeaders: {} }),
    `${field}: Invalid value: 0: ${field} in body should have at least 1 properties`,
  ],
  ['a split by nothing', rule({ backends, split: {} }), `${r0}.split.by: Required value`],
  ['a rewritten host that is none', filtered({ rewriteHost: {} }), `${f0}.rewriteHost.host: Required value`],
  [
    'a substitution without pattern',
    filtered({ rewritePath: { regex: { substitution: '/a' } } }),
    `${f0}.rewritePath.regex.pattern: Required value`,
  ],
  ...['a:80', '[::1', '[1.2.3.4]', '[::1]:80', '1.2.3.400'].map(
    (host) =>
      [
        `a redirect to the host ${host}`,
        rule({ filters: [{ redirect: { host } }] }),
        `${f0}.redirect.host: Invalid value: "${host}": want a host name or address, without a port`,
      ] as const,
  ),
  ...['requestHeaders', 'responseHeaders'].flatMap((filter) =>
    ['set', 'add'].flatMap(
      (list) =>
        [
          [
            `${filter} that ${list} a field without name`,
            filtered({ [filter]: { [list]: [{ value: 'a' }] } }),
            `${f0}.${filter}.${list}[0].name: Required value`,
          ],
          [
            `${filter} that ${list} a field without value`,
            filtered({ [filter]: { [list]: [{ name: 'a' }] } }),
            `${f0}.${filter}.${list}[0].value: Required value`,
          ],
        ] as const,
    ),
  ),
  [
    'a header that is set twice',
    filtered({
      requestHeaders: {
        set: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      },
    }),
    `${field}.set[1]: Duplicate value: {"name":"A"}`,
  ],
  [
    'a header of the connection',
    filtered({ requestHeaders: { remove: ['Transfer-Encoding'] } }),
    `${field}.remove[0]: Invalid value: "Transfer-Encoding": this field cannot be changed: it belongs to the connection and is written by the proxy`,
  ],
  [
    'the header Host',
    filtered({ requestHeaders: { set: [{ name: 'host', value: 'a' }] } }),
    `${field}.set[0].name: Invalid value: "host": this field cannot be changed: it is changed by the filter rewriteHost`,
  ],
  [
    'a response header of the connection',
    filtered({ responseHeaders: { add: [{ name: 'Connection', value: 'close' }] } }),
    `${f0}.responseHeaders.add[0].name: Invalid value: "Connection": this field cannot be changed: it belongs to the connection and is written by the proxy`,
  ],
  [
    'a header value with a line break',
    filtered({ requestHeaders: { add: [{ name: 'A', value: 'a\r\nB: c' }] } }),
    `${field}.add[0].value: Invalid value: "a\\r\\nB: c"`,
  ],
];

/** Refused by the API server alone. The controller reads them in the one way that they can be meant. */
const lenient: ReadonlyMap<string, string> = new Map([
  ['a host twice', 'one mention is enough'],
  ['a method twice', 'one mention is enough'],
  ['a match without conditions', 'it holds for every request'],
  ['a redirect beside backends', 'the redirect answers; the backends are never asked'],
  ['a replaced prefix where there is none', 'nothing is replaced'],
  ['a redirect that replaces a prefix where there is none', 'nothing is replaced'],
]);

describeWithCluster(
  'the CRD of Route',
  (cluster) => {
    describe('takes', () => {
      const examples = filterRegistry.specs.flatMap(({ name, route: half }) =>
        half === undefined
          ? []
          : [
              [
                name,
                rule({ filters: [{ [name]: half.example }], ...(half.answers !== true && { backends }) }),
              ] as const,
            ],
      );

      test.each(examples)('the example of the filter %s', async (_, object) => {
        expect(await apiVerdict(cluster(), object)).toMatchObject({ accepted: true, message: '' });
        expect(controllerFaults(object)).toEqual({ decoder: [], compiler: [] });
      });

      test('the example of the reference', async () => {
        expect(await apiVerdict(cluster(), routeExample as unknown as Manifest)).toMatchObject({
          accepted: true,
          message: '',
        });
      });

      test.each(storedObjects(routeKind))('what the controller takes: %s', async (_, object) => {
        const { accepted, message } = await apiVerdict(cluster(), object);
        const { decoder, compiler } = controllerFaults(object);
        if (accepted) expect(decoder).toEqual([]);
        else expect([message, decoder.length + compiler.length]).not.toEqual([message, 0]);
      });
    });

    describe('refuses', () => {
      test.each(bad)('%s', async (what, object, expected) => {
        const { accepted, message } = await apiVerdict(cluster(), object);
        expect([accepted, message]).toEqual([false, expect.stringContaining(expected)]);
        const { decoder, compiler } = controllerFaults(object);
        expect([what, decoder.length + compiler.length > 0]).toEqual([what, !lenient.has(what)]);
      });
    });

    test('has a refused object for every rule, every choice and every required field', () => {
      const messages = bad.map(([, , message]) => message);
      expect(unspoken(routeSchema(routeFilters(filterRegistry)), messages)).toEqual([]);
    });

    test('fills in defaults', async () => {
      const { object } = await apiVerdict(
        cluster(),
        rule({
          matches: [{ path: { value: '/' }, headers: [{ name: 'A', value: 'b' }] }],
          filters: [{ redirect: { path: '/a' } }],
        }),
      );
      expect(object?.['spec']).toEqual({
        rules: [
          {
            matches: [
              { path: { type: 'Prefix', value: '/' }, headers: [{ name: 'A', type: 'Exact', value: 'b' }] },
            ],
            filters: [{ redirect: { path: '/a', statusCode: 302 } }],
          },
        ],
      });
      const weighted = await apiVerdict(cluster(), rule({ backends }));
      expect(weighted.object?.['spec']).toEqual({
        rules: [{ backends: [{ service: 's', port: 80, weight: 1 }] }],
      });
    });
  },
  { manifests },
);
