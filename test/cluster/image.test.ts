import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { GenericContainer, Wait } from 'testcontainers';
import type { StartedTestContainer } from 'testcontainers';

import { describeWithCluster, describeWithDocker } from '../support/cluster/describe-with-cluster.ts';
import { makeLocalBaseImage } from '../support/local-base-image.ts';

const root = join(import.meta.dirname, '../..');
const image = 'sallyport-test:local';
const buildLimitMs = 600_000;
const [, publicBase = ''] =
  /^ARG NODE_IMAGE=(.*)$/m.exec(readFileSync(join(root, 'Dockerfile'), 'utf8')) ?? [];

// The container that would remove others is an image of its own, which cannot be had everywhere; these are removed here.
process.env['TESTCONTAINERS_RYUK_DISABLED'] = 'true';
// The container is in the network of this machine: it has to reach the API server on its loopback address.
process.env['TESTCONTAINERS_HOST_OVERRIDE'] = '127.0.0.1';

function succeeds(...args: readonly string[]): boolean {
  try {
    execFileSync('docker', args, { stdio: 'ignore', timeout: 60_000 });
    return true;
  } catch {
    return false;
  }
}

/** The Dockerfile's own base where it can be had, else one of this machine's programs. */
function baseImage(): string {
  if (succeeds('image', 'inspect', publicBase) || succeeds('pull', publicBase)) return publicBase;
  makeLocalBaseImage('sallyport-test-base:local');
  return 'sallyport-test-base:local';
}

function buildImage(): void {
  const base = ['--build-arg', `NODE_IMAGE=${baseImage()}`];
  execFileSync('docker', ['build', '--network=host', ...base, '-t', image, root], {
    stdio: 'pipe',
    timeout: buildLimitMs,
  });
}

/** Standard output so far, to the line that has `last` in it. */
async function logUntil(container: StartedTestContainer, last: string): Promise<readonly string[]> {
  const lines: string[] = [];
  let rest = '';
  for await (const chunk of await container.logs()) {
    const pieces = (rest + String(chunk)).split('\n');
    rest = pieces.pop() ?? '';
    lines.push(...pieces);
    if (lines.some((line) => line.includes(last))) return lines;
  }
  throw new Error(`read the log of the container: it ended, want ${JSON.stringify(last)}`);
}

function request(port: number, path: string, host: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers: { host }, agent: false }, (response) => {
      response.resume();
      resolve(response);
    }).once('error', reject);
  });
}

describeWithDocker('the image', () => {
  describeWithCluster(
    'with a real API server',
    (cluster) => {
      let container: StartedTestContainer | undefined;
      let ports: { readonly port: number; readonly adminPort: number };
      const running = (): StartedTestContainer => {
        if (container === undefined) throw new Error('use the container: it has not started');
        return container;
      };
      const evaluate = async (script: string): Promise<unknown> => {
        const { output } = await running().exec(['node', '-p', `JSON.stringify(${script})`]);
        return JSON.parse(output);
      };

      beforeAll(async () => {
        buildImage();
        const account = { namespace: 'sallyport', serviceAccount: 'sallyport' };
        const { kubeconfig } = await cluster().kubeconfigFor(account);
        container = await new GenericContainer(image)
          .withNetworkMode('host')
          .withDroppedCapabilities('ALL')
          .withSecurityOpt('no-new-privileges')
          .withCopyContentToContainer([
            { content: readFileSync(kubeconfig, 'utf8'), target: '/kubeconfig', mode: 0o444 },
          ])
          .withCommand([
            'run',
            ...['--kubeconfig', '/kubeconfig', '--workers', '1'],
            ...['--http-port', '0', '--https-port', '0', '--admin-port', '0', '--drain-delay', '0s'],
          ])
          .withWaitStrategy(Wait.forLogMessage(/"msg":"table live"/))
          .start();
        const started = (await logUntil(container, '"msg":"started"')).find((line) =>
          line.includes('"started"'),
        );
        ports = JSON.parse((started ?? '').replace(/^[^{]*/, '')) as typeof ports;
      }, buildLimitMs);

      afterAll(async () => {
        await container?.stop();
      });

      test('becomes ready, with the rights of manifests/rbac.yaml alone', async () => {
        expect((await request(ports.adminPort, '/readyz', 'localhost')).statusCode).toBe(200);
      });

      test('serves what is written to the API server', async () => {
        await cluster().admin.create({
          apiVersion: 'networking.k8s.io/v1',
          kind: 'Ingress',
          metadata: {
            name: 'moved',
            namespace: 'default',
            annotations: { 'nginx.ingress.kubernetes.io/permanent-redirect': 'https://new.example/' },
          },
          spec: {
            ingressClassName: 'sallyport',
            rules: [
              {
                host: 'old.example',
                http: {
                  paths: [
                    {
                      path: '/',
                      pathType: 'Prefix',
                      backend: { service: { name: 'none', port: { number: 80 } } },
                    },
                  ],
                },
              },
            ],
          },
        });
        await logUntil(running(), '"routes":1');
        const { statusCode, headers } = await request(ports.port, '/', 'old.example');
        expect([statusCode, headers.location]).toEqual([301, 'https://new.example/']);
      });

      test('runs as a user without rights', async () => {
        expect(await evaluate('[process.getuid(), process.getgid()]')).toEqual([65_532, 65_532]);
      });

      test('holds the source without its tests, and production dependencies alone', async () => {
        const files = await evaluate(
          "require('node:fs').globSync('{src/**/*.test.ts,test,tools,docs,charts}', {cwd:'/app'})",
        );
        expect(files).toEqual([]);
        const packages = (await evaluate("require('node:fs').readdirSync('/app/node_modules')")) as string[];
        expect(packages).toEqual(expect.arrayContaining(['undici', 'js-yaml', '@kubernetes']));
        expect(packages).not.toContain('node');
        expect(packages).not.toContain('jest');
      });
    },
    {
      manifests: [
        'crds/routes.sallyport.dev.yaml',
        'crds/backendpolicies.sallyport.dev.yaml',
        'manifests/rbac.yaml',
        'examples/ingress-class.yaml',
      ].map((file) => join(root, file)),
    },
  );
});
