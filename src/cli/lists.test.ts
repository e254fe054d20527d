import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { services } from '../../test/support/sallyport-process.ts';
import { runCommandLine } from './program.ts';

const rule = (host: string, path: string, service: string): string => `
    - host: ${host}
      http:
        paths:
          - { path: ${path}, pathType: Prefix, backend: { service: { name: ${service}, port: { number: 80 } } } }`;

const ingress = (namespace: string, name: string, rules: string, extra = ''): string => `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: ${name}, namespace: ${namespace}, labels: { tier: ${name} }${extra} }
spec:
  ingressClassName: sallyport
  rules: ${rules}
---`;

const canary =
  ', annotations: { sallyport.dev/canary: "true", sallyport.dev/canary-weight: "10", sallyport.dev/canary-by-header: x-canary }';

const route = `
apiVersion: sallyport.dev/v1alpha1
kind: Route
metadata: { name: api, namespace: team }
spec:
  ingressClassName: sallyport
  hosts: [api.example]
  rules:
    - matches: [{ path: { type: Exact, value: /v1 }, methods: [GET], headers: [{ name: x-role, value: admin }] }]
      filters: [{ requestHeaders: { set: [{ name: x-a, value: b }] } }]
      backends: [{ service: shop, port: 80 }]
---`;

const folderContent =
  ingress('team', 'shop', rule('shop.example', '/', 'shop') + rule('"*.example"', '/w', 'shop')) +
  ingress('team', 'shop-canary', rule('shop.example', '/', 'next'), canary) +
  ingress('team', 'zzz', rule('shop.example', '/', 'shop')) +
  ingress('other', 'shop', rule('other.example', '/', 'gone')) +
  route +
  services(8080);

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-lists-'));
  await writeFile(join(folder, 'all.yaml'), folderContent);
});

afterAll(() => rm(folder, { recursive: true }));

async function run(...args: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCommandLine([...args, '--manifests', folder], {
    environment: { HOME: '/nonexistent' },
    out: (text) => (out += text),
    err: (text) => (err += text),
  });
  return { code, out, err };
}

/** Rows of a table as cells, columns being two spaces or more apart. */
function cells(out: string): readonly (readonly string[])[] {
  return out
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
}

describe('routes', () => {
  test('of a folder: every namespace, with where they lead and whether they are served', async () => {
    const { code, out, err } = await run('routes');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(cells(out)).toEqual([
      ['NAMESPACE', 'OBJECT', 'HOST', 'PATH', 'TYPE', 'BACKENDS', 'STATUS'],
      ['other', 'ingress/shop', 'other.example', '/', 'prefix', 'gone:80', 'no-endpoints'],
      ['team', 'route/api', 'api.example', '/v1', 'exact', 'shop:80', 'served'],
      ['team', 'ingress/shop', 'shop.example', '/', 'prefix', 'shop:80 90%, next:80 10%', 'served'],
      ['team', 'ingress/shop', '*.example', '/w', 'prefix', 'shop:80', 'served'],
      ['team', 'ingress/zzz', 'shop.example', '/', 'prefix', '<none>', 'conflict'],
    ]);
  });

  test('of one namespace, without its column', async () => {
    const { out } = await run('routes', '-n', 'other', '--no-headers');
    expect(cells(out)).toEqual([['ingress/shop', 'other.example', '/', 'prefix', 'gone:80', 'no-endpoints']]);
  });

  test('wide adds conditions, filters, the rule and why not', async () => {
    const { out } = await run('routes', '-o', 'wide', 'api', 'zzz');
    const [heading, api, zzz] = cells(out);
    expect(heading?.slice(7)).toEqual(['CONDITIONS', 'CLIENT-CERT', 'FILTERS', 'RULE', 'REASON']);
    expect(api?.slice(7)).toEqual([
      'GET; header x-role=admin',
      '<none>',
      'requestHeaders',
      'spec.rules[0].matches[0]',
      '<none>',
    ]);
    expect(zzz?.[11]).toMatch(/^SP3001: .*Ingress team\/shop has it/);
  });

  test.each([
    ['shop.example', ['shop.example']],
    ['SHOP.example', ['shop.example']],
    ['any.example', ['*.example']],
    ['*.example', ['*.example']],
    ['nowhere.test', []],
  ])('that a request for %s can reach', async (host, wanted) => {
    const { out } = await run('routes', '--host', host, '-o', 'json');
    const hosts = (JSON.parse(out) as { hosts: string[] }[]).flatMap((entry) => entry.hosts);
    expect([...new Set(hosts)]).toEqual(wanted);
  });

  test.each([
    [['shop'], ['ingress.networking.k8s.io/shop']],
    [
      ['ing/shop', 'route/api'],
      ['ingress.networking.k8s.io/shop', 'route.sallyport.dev/api'],
    ],
    [
      ['-l', 'tier in (zzz,shop)', '-n', 'team'],
      ['ingress.networking.k8s.io/shop', 'ingress.networking.k8s.io/zzz'],
    ],
  ])('%j by name, each object once', async (args, wanted) => {
    const { out } = await run('routes', '-o', 'name', ...args);
    expect(out.trim().split('\n').toSorted()).toEqual(wanted);
  });

  test('as YAML, nothing left out', async () => {
    expect(load((await run('routes', 'zzz', '-o', 'yaml')).out)).toMatchObject([
      {
        object: { kind: 'Ingress', namespace: 'team', name: 'zzz' },
        status: 'conflict',
        hosts: ['shop.example'],
      },
    ]);
  });

  test('none is a message, and an empty list for programs', async () => {
    expect(await run('routes', '-n', 'empty')).toEqual({
      code: 0,
      out: '',
      err: `No routes found in namespace "empty" of ${folder}\n`,
    });
    expect(await run('routes', '-n', 'empty', '-o', 'json')).toEqual({ code: 0, out: '[]\n', err: '' });
  });

  test('a name that is not there is a failure', async () => {
    const { code, err } = await run('routes', 'nope', '-n', 'team');
    expect(code).toBe(1);
    expect(err).toContain(
      `sallyport: Nothing named "nope" found in namespace "team" of ${folder}; only objects`,
    );
  });
});

describe('backends', () => {
  test('of a folder, with endpoints', async () => {
    const { code, out } = await run('backends', '-o', 'wide');
    expect(code).toBe(0);
    expect(cells(out)).toEqual([
      [
        'NAMESPACE',
        'SERVICE',
        'PORT',
        'PROTOCOL',
        'BALANCE',
        'VARIANT',
        'TLS',
        'ROUTES',
        'MAX-REQUESTS',
        'ENDPOINTS',
        'ADDRESSES',
      ],
      ['other', 'gone', '80', 'http1', 'round-robin', '<none>', '<none>', '1', '<none>', '0', '<none>'],
      ['team', 'next', '80', 'http1', 'round-robin', '<none>', '<none>', '1', '<none>', '0', '<none>'],
      [
        'team',
        'shop',
        '80',
        'http1',
        'round-robin',
        '<none>',
        '<none>',
        '3',
        '<none>',
        '1',
        '127.0.0.1:8080',
      ],
    ]);
  });

  test('of a host, and by name', async () => {
    expect((await run('backends', '--host', 'shop.example', '-o', 'name')).out).toBe(
      'service/next\nservice/shop\n',
    );
    expect(cells((await run('backends', 'svc/shop', '--no-headers')).out)).toHaveLength(1);
  });
});

describe('usage', () => {
  test.each([
    [['routes', '-l', '=x'], /Read --selector: /],
    [['routes', 'pod/x'], /Read the name "pod\/x": want NAME, ingress\/NAME/],
    [['routes', '--admin', 'localhost:1'], /Choose one source: --manifests and --admin were given/],
    [['routes', '--context', 'x'], /Choose one source: --manifests and --context were given/],
    [['check', '-n', 'a', '-A'], /Choose the namespaces: --namespace and --all-namespaces/],
  ])('%j ends with 2', async (args, message) => {
    const { code, out, err } = await run(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(message);
  });
});

test.each(['quickstart', 'kubernetes'])('the folder examples/%s has no errors', async (name) => {
  const examples = join(import.meta.dirname, '../../examples', name);
  let err = '';
  const code = await runCommandLine(['check', '--manifests', examples, '--ingress-class-by-name'], {
    environment: {},
    out: () => undefined,
    err: (text) => (err += text),
  });
  expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(/^[4-9] routes, .* 0 errors in /) });
});

test('check of one namespace counts that namespace', async () => {
  const { code, out, err } = await run('check', '-n', 'other', '-o', 'json');
  expect(JSON.parse(out)).toMatchObject([{ object: { namespace: 'other' } }]);
  expect(code).toBe(1);
  expect(err).toMatch(/^1 route, 1 finding, 1 error in namespace "other" of /);
});
