import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

import { beforeAll, describe, expect, test } from '@jest/globals';

import { runCommandLine } from '../../src/cli/program.ts';
import { findProgram } from '../support/cluster/assets.ts';
import { describeWithCluster } from '../support/cluster/describe-with-cluster.ts';

const root = join(import.meta.dirname, '../..');
const filesOf = (folder: string): readonly string[] =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()
    .map((name) => join(root, folder, name));

/** What no pod stands behind here. */
const slices = ['shop', 'shop-next', 'api', 'api-next'].map(
  (service, index) => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${service}-1, namespace: shop, labels: { kubernetes.io/service-name: ${service} } }
addressType: IPv4
endpoints: [{ addresses: [10.1.0.${index + 1}] }, { addresses: [10.1.1.${index + 1}] }]
ports: [{ name: http, port: 8080 }]
`,
);

/** Reads what an Ingress leads to in one namespace, and nothing else. */
const limited = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader, namespace: shop }
rules:
  - { apiGroups: [networking.k8s.io], resources: [ingresses], verbs: [list] }
  - { apiGroups: [''], resources: [services], verbs: [list] }
  - { apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list] }
  - { apiGroups: [sallyport.dev], resources: [routes, backendpolicies], verbs: [list] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: reader, namespace: shop }
subjects: [{ kind: ServiceAccount, name: reader, namespace: shop }]
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader }
`;

const towardsTls = `
apiVersion: sallyport.dev/v1alpha1
kind: BackendPolicy
metadata: { name: shop, namespace: shop }
spec: { service: shop, tls: { caSecretName: gone-ca } }
`;

const withTls = `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: { name: secure, namespace: shop }
spec:
  ingressClassName: sallyport
  tls: [{ hosts: [secure.localhost], secretName: gone }]
  rules:
    - host: secure.localhost
      http:
        paths: [{ path: /, pathType: Prefix, backend: { service: { name: shop, port: { number: 80 } } } }]
`;

interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describeWithCluster(
  'the command line and a cluster',
  (cluster) => {
    let reader = '';
    let stranger = '';

    beforeAll(async () => {
      for (const file of filesOf('examples/kubernetes')) {
        // oxlint-disable-next-line no-await-in-loop -- the namespace comes first
        await cluster().applyFile(file);
      }
      await cluster().applyFile(join(root, 'examples/ingress-class.yaml'));
      await cluster().applyYaml([...slices, limited, withTls].join('---'));
      const account = { namespace: 'shop', serviceAccount: 'reader' };
      reader = (await cluster().kubeconfigFor(account)).kubeconfig;
      stranger = (await cluster().kubeconfigFor({ ...account, serviceAccount: 'stranger' })).kubeconfig;
    });

    async function run(
      args: readonly string[],
      kubeconfig: string | undefined = cluster().kubeconfig,
    ): Promise<Outcome> {
      let out = '';
      let err = '';
      const code = await runCommandLine(args, {
        environment: { HOME: cluster().folder, KUBECONFIG: kubeconfig },
        out: (text) => (out += text),
        err: (text) => (err += text),
      });
      return { code, out, err };
    }

    test('the examples compile as they say they do', async () => {
      const { code, out, err } = await run(['routes', '-n', 'shop']);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      const rows = out
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/ {2,}/));
      expect(rows).toEqual([
        ['OBJECT', 'HOST', 'PATH', 'TYPE', 'BACKENDS', 'STATUS'],
        ['route/api', 'api.localhost', '/v1', 'prefix', 'api-next:80', 'served'],
        ['route/api', 'api.localhost', '/v1', 'prefix', 'api:80 75%, api-next:80 25%', 'served'],
        ['ingress/secure', 'secure.localhost', '/', 'prefix', 'shop:80', 'served'],
        ['ingress/shop', 'shop.localhost', '/', 'prefix', 'shop:80 90%, shop-next:80 10%', 'served'],
        ['ingress/shop', 'shop.localhost', '/api', 'prefix', 'api:80', 'served'],
        ['ingress/shop-again', 'shop.localhost', '/', 'prefix', '<none>', 'conflict'],
      ]);
    });

    test('backends with addresses and what their policy says', async () => {
      const { out } = await run(['backends', 'api', '-n', 'shop', '-o', 'wide', '--no-headers']);
      expect(out.trimEnd().split(/ {2,}/)).toEqual([
        'api',
        '80',
        'http1',
        'least-request',
        '<none>',
        '<none>',
        '2',
        '100',
        '2',
        '10.1.0.3:8080,10.1.1.3:8080',
      ]);
    });

    test('check names objects, and ends with 0 without errors', async () => {
      const { code, out, err } = await run(['check', '-A']);
      expect(out).toMatch(/^SEVERITY +CODE +OBJECT +FINDING\n/);
      expect(out).toMatch(/SP2201 +Ingress shop\/secure .*Secret "shop\/gone" does not exist/);
      expect(out).toMatch(/SP3001 +Ingress shop\/shop-again .*Ingress shop\/shop has it/);
      expect(code).toBe(0);
      expect(err).toMatch(/^5 routes, 2 findings, 0 errors in kubeconfig "/);
    });

    test('a request is explained whatever the namespace', async () => {
      const url = 'http://shop.localhost/';
      const { code, out } = await run(['explain', url, '-H', 'x-canary: always']);
      expect(code).toBe(0);
      expect(out).toMatch(/shop\/shop-next:80 +http1 +canary +10 +100 % +10\.1\.0\.2:8080 10\.1\.1\.2:8080/);
      expect(out).toMatch(/chosen: header x-canary is "always"/);
      expect((await run(['explain', 'http://nowhere.localhost/'])).code).toBe(1);
    });

    test('the namespace is that of the context unless another is given', async () => {
      expect((await run(['routes'])).err).toMatch(/^No routes found in namespace "default" of kubeconfig /);
      const listed = [join(cluster().folder, 'none'), cluster().kubeconfig].join(delimiter);
      expect((await run(['routes', '-A', '-o', 'name'], listed)).out).toContain('route.sallyport.dev/api');
    });

    test('labels choose', async () => {
      const { out } = await run(['backends', '-A', '-l', 'app in (api,api-next)', '-o', 'name']);
      expect(out).toBe('service/api\nservice/api-next\n');
    });

    describe('with rights in one namespace', () => {
      test('reads that namespace, and says what does not show', async () => {
        const { code, out, err } = await run(['check'], reader);
        expect(code).toBe(0);
        expect(out).toContain('SP3001');
        expect(out).not.toContain('SP2201');
        expect(err).toMatch(/^Note: you may read one namespace only: conflicts with others than "shop"/);
        expect(err).toMatch(/\nNote: you may not read IngressClasses: taking "sallyport" by its name/);
        expect(err).toMatch(/\nNote: what you may not read counts as absent: .*secrets "gone"/);
        expect(err).toMatch(/\n5 routes, 1 finding, 0 errors in namespace "shop" of kubeconfig "/);
      });

      test('is not told that what it may not read is missing', async () => {
        await cluster().applyYaml(towardsTls);
        try {
          expect((await run(['check', '-n', 'shop'])).out).toMatch(
            /SP2205 +BackendPolicy shop\/shop .*gone-ca/,
          );
          const { code, out, err } = await run(['check'], reader);
          expect(code).toBe(0);
          expect(out).not.toContain('SP2205');
          expect(err).toMatch(
            /secrets "gone-ca".*; what needs it shows as closed or without endpoints, and may/,
          );
        } finally {
          const kind = { apiVersion: 'sallyport.dev/v1alpha1', kind: 'BackendPolicy' };
          await cluster().admin.delete({ ...kind, namespace: 'shop', name: 'shop' });
        }
      });

      test('cannot ask about all, and is told what can be asked', async () => {
        const { code, out, err } = await run(['routes', '-A'], reader);
        expect({ code, out }).toEqual({ code: 1, out: '' });
        expect(err).toMatch(
          /^sallyport: Cannot read .* the API server refuses .*; choose a namespace with -n\n$/,
        );
      });
    });

    test('without rights nothing looks like an empty cluster', async () => {
      const { code, out, err } = await run(['routes'], stranger);
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toMatch(/^sallyport: Cannot read .* in namespace "shop": the API server refuses /);
    });

    test('credentials that are not accepted', async () => {
      const file = await changed('expired', { token: 'nonsense' });
      const { code, err } = await run(['routes', '-A'], file);
      expect(code).toBe(1);
      expect(err).toMatch(/^sallyport: Cannot log in to the cluster of kubeconfig .*401/);
    });

    test('an API server that is not there', async () => {
      const file = await changed('dead', { server: 'https://127.0.0.1:9' });
      const { code, err } = await run(['routes', '-A'], file);
      expect(code).toBe(1);
      expect(err).toMatch(/^sallyport: Cannot reach the API server https:\/\/127\.0\.0\.1:9 .*ECONNREFUSED/);
    });

    test('as a plugin of kubectl', async () => {
      const kubectl = findProgram('kubectl') ?? 'kubectl';
      const env = {
        ...process.env,
        PATH: [join(root, 'bin'), dirname(kubectl), process.env['PATH']].join(delimiter),
        KUBECONFIG: cluster().kubeconfig,
      };
      const plugin = (...args: readonly string[]): Promise<{ stdout: string }> =>
        promisify(execFile)(kubectl, ['sallyport', ...args], { env });
      expect((await plugin('version')).stdout).toMatch(/^sallyport \d/);
      expect((await plugin('routes', '-n', 'shop', '-o', 'name')).stdout).toContain(
        'route.sallyport.dev/api\n',
      );
      expect((await plugin('explain', '--help')).stdout).toMatch(/^Usage: kubectl sallyport explain/);
    });

    /** A copy of the kubeconfig with some values replaced. */
    async function changed(name: string, values: Readonly<Record<string, string>>): Promise<string> {
      const config = JSON.parse(await readFile(cluster().kubeconfig, 'utf8'), (key, value: unknown) =>
        Object.hasOwn(values, key) && typeof value === 'string' ? values[key] : value,
      ) as unknown;
      const file = join(cluster().folder, `${name}.kubeconfig`);
      await writeFile(file, JSON.stringify(config));
      return file;
    }
  },
  { manifests: filesOf('crds') },
);

describeWithCluster('the command line and a cluster without our CRDs', (cluster) => {
  test('reads the kinds that are there', async () => {
    await cluster().applyFile(join(root, 'examples/ingress-class.yaml'));
    await cluster().applyYaml(withTls.replace('namespace: shop', 'namespace: default'));
    let out = '';
    const code = await runCommandLine(['routes', '--no-headers'], {
      environment: { KUBECONFIG: cluster().kubeconfig },
      out: (text) => (out += text),
      err: () => undefined,
    });
    expect({ code, out }).toEqual({
      code: 0,
      out: 'ingress/secure  secure.localhost  /  prefix  shop:80  no-endpoints\n',
    });
  });
});
