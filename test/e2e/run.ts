// Installs an image with Helm into the cluster of KUBECONFIG, puts it to use, and takes it away again. In: the image in IMAGE
// (default sallyport:dev), which the nodes have or can pull; the image of the examples' servers in BACKEND_IMAGE (default: theirs).
// Out: a transcript; exit code 1 when anything was not as it should be. The namespaces sallyport, sallyport-e2e and shop and
// the CRDs are made here and removed at the end, unless `--keep` is given; a cluster that has one of them is not touched.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { attempt, findTools, run } from './cluster-tools.ts';
import type { Tools } from './cluster-tools.ts';
import type { Scene, Step } from './scene.ts';
import { steps } from './steps.ts';
import { TrafficAgent, ownNamespace } from './traffic-agent.ts';

const root = join(import.meta.dirname, '../..');
const namespaces = ['sallyport', ownNamespace, 'shop'];
const crds = ['routes.sallyport.dev', 'backendpolicies.sallyport.dev'];
const exampleImage = 'traefik/whoami:v1.10';

function exampleManifests(backendImage: string): string {
  return globSync('examples/kubernetes/*.yaml', { cwd: root })
    .sort()
    .map((file) => readFileSync(join(root, file), 'utf8').replaceAll(exampleImage, backendImage))
    .join('\n---\n');
}

/** Rejects when the cluster has what would be made, and in the end removed, here. */
async function preflight(kubectl: string): Promise<void> {
  await run(kubectl, ['version']);
  const there = await Promise.all([
    run(kubectl, ['get', 'namespace', ...namespaces, '--ignore-not-found', '-o', 'name'], { quiet: true }),
    run(kubectl, ['get', 'crd', ...crds, '--ignore-not-found', '-o', 'name'], { quiet: true }),
  ]);
  const names = there.join('').trim().replaceAll('\n', ', ');
  if (names !== '') throw new Error(`look at the cluster: it has ${names}, want none of them`);
}

async function prepare({ kubectl, helm }: Tools): Promise<Scene> {
  const image = process.env['IMAGE'] || 'sallyport:dev';
  await run(kubectl, ['create', 'namespace', 'sallyport']);
  await run(kubectl, ['label', 'namespace', 'sallyport', 'pod-security.kubernetes.io/enforce=restricted']);
  const [, repository = image, tag = 'latest'] = /^(.*):([^/:]+)$/.exec(image) ?? [];
  return {
    kubectl,
    helm,
    chart: 'charts/sallyport',
    imageValues: ['--set', `controller.image.repository=${repository},controller.image.tag=${tag}`],
    image,
    examples: exampleManifests(process.env['BACKEND_IMAGE'] || exampleImage),
    agent: await TrafficAgent.start({ kubectl, image }),
  };
}

async function cleanUp({ kubectl, helm }: Tools): Promise<void> {
  process.stdout.write('\n==> Leave the cluster as it was\n');
  await attempt(helm, ['uninstall', 'sallyport', '-n', 'sallyport', '--ignore-not-found']);
  await attempt(kubectl, ['delete', 'namespace', ...namespaces, '--ignore-not-found']);
  await attempt(kubectl, ['delete', 'crd', ...crds, '--ignore-not-found']);
}

/** Whether all was as it should be. */
async function perform({ title, act }: Step, scene: Scene): Promise<boolean> {
  process.stdout.write(`\n==> ${title}\n`);
  try {
    await act(scene);
    process.stdout.write(`ok  ${title}\n`);
    return true;
  } catch (error) {
    process.stdout.write(`FAIL ${title}: ${(error as Error).message}\n`);
    const ours = ['-n', 'sallyport'];
    await attempt(scene.kubectl, [...ours, 'get', 'pods', '-o', 'wide']);
    await attempt(scene.kubectl, [...ours, 'logs', '-l', 'app.kubernetes.io/name=sallyport', '--tail=15']);
    return false;
  }
}

async function main(): Promise<void> {
  const tools = await findTools();
  await preflight(tools.kubectl);
  let passed = 0;
  let failed = 0;
  try {
    const scene = await prepare(tools);
    for (const step of steps) {
      if (await perform(step, scene)) {
        passed++;
        continue;
      }
      failed++;
      if (step.isVital === true) break;
    }
  } catch (error) {
    failed++;
    process.stdout.write(`FAIL ${(error as Error).message}\n`);
  }
  if (!process.argv.includes('--keep')) await cleanUp(tools);
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
