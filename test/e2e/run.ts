// Installs an image with Helm into the cluster of KUBECONFIG, puts it to use, and takes it away again. In: the image in IMAGE
// (default sallyport:dev), which the nodes have or can pull; the image of the examples' servers in BACKEND_IMAGE (default: theirs).
// Out: a transcript; exit code 1 when anything was not as it should be. The cluster must have no release `sallyport` and no
// namespaces sallyport, sallyport-e2e and shop: they are made here and removed at the end. `--keep` leaves them.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { attempt, findTools, run, until } from './cluster-tools.ts';
import { steps } from './steps.ts';
import type { Scene } from './steps.ts';
import { TrafficAgent } from './traffic-agent.ts';

const root = join(import.meta.dirname, '../..');
const namespaces = ['sallyport', 'sallyport-e2e', 'shop'];
const exampleImage = 'traefik/whoami:v1.10';

function exampleManifests(backendImage: string): string {
  return globSync('examples/kubernetes/*.yaml', { cwd: root })
    .sort()
    .map((file) => readFileSync(join(root, file), 'utf8').replaceAll(exampleImage, backendImage))
    .join('\n---\n');
}

async function preflight(kubectl: string): Promise<void> {
  await run(kubectl, ['version']);
  const { out } = await attempt(kubectl, [
    'get',
    'namespace',
    ...namespaces,
    '--ignore-not-found',
    '-o',
    'name',
  ]);
  if (out !== '')
    throw new Error(`look at the cluster: it has ${out.trim().replaceAll('\n', ', ')}, want none of them`);
}

async function prepare(): Promise<Scene> {
  const { kubectl, helm } = await findTools();
  const image = process.env['IMAGE'] || 'sallyport:dev';
  await preflight(kubectl);
  await run(kubectl, ['create', 'namespace', 'sallyport']);
  await run(kubectl, ['label', 'namespace', 'sallyport', 'pod-security.kubernetes.io/enforce=restricted']);
  const [, repository = image, tag = 'latest'] = /^(.*):([^/:]+)$/.exec(image) ?? [];
  return {
    kubectl,
    helm,
    chart: join(root, 'charts/sallyport'),
    imageValues: ['--set', `controller.image.repository=${repository},controller.image.tag=${tag}`],
    examples: exampleManifests(process.env['BACKEND_IMAGE'] || exampleImage),
    agent: await TrafficAgent.start({ kubectl, image }),
  };
}

async function cleanUp({
  kubectl,
  helm,
}: {
  readonly kubectl: string;
  readonly helm: string;
}): Promise<void> {
  await attempt(helm, ['uninstall', 'sallyport', '-n', 'sallyport', '--ignore-not-found']);
  await attempt(kubectl, ['delete', 'namespace', ...namespaces, '--ignore-not-found']);
  await attempt(kubectl, [
    'delete',
    'crd',
    'routes.sallyport.dev',
    'backendpolicies.sallyport.dev',
    '--ignore-not-found',
  ]);
}

async function main(): Promise<void> {
  const failures: string[] = [];
  let passed = 0;
  const { kubectl, helm } = await findTools();
  try {
    const scene = await prepare();
    for (const { title, act, isVital } of steps) {
      process.stdout.write(`\n==> ${title}\n`);
      try {
        await act(scene);
        passed++;
        process.stdout.write(`ok  ${title}\n`);
      } catch (error) {
        failures.push(title);
        process.stdout.write(`FAIL ${title}: ${(error as Error).message}\n`);
        await attempt(kubectl, ['-n', 'sallyport', 'get', 'pods', '-o', 'wide']);
        await attempt(kubectl, [
          '-n',
          'sallyport',
          'logs',
          '-l',
          'app.kubernetes.io/name=sallyport',
          '--tail=15',
        ]);
        if (isVital === true) break;
      }
    }
  } catch (error) {
    failures.push('the preparation');
    process.stdout.write(`FAIL ${(error as Error).message}\n`);
  }
  if (!process.argv.includes('--keep')) {
    process.stdout.write('\n==> Leave the cluster as it was\n');
    await cleanUp({ kubectl, helm });
    await until(
      'the namespaces are gone',
      async () =>
        (
          await attempt(kubectl, ['get', 'namespace', ...namespaces, '--ignore-not-found', '-o', 'name'], {
            quiet: true,
          })
        ).out,
      (out) => out === '',
    );
  }
  process.stdout.write(`\n${passed} passed, ${failures.length} failed\n`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}

await main();
