import { attempt, run, say, until, want } from './cluster-tools.ts';
import { edgeProtocolSteps } from './edge-protocols.ts';
import type { Scene, Step } from './scene.ts';
import { rollUnderLoad, settled, underLoad } from './under-load.ts';

const shop = { host: 'shop.localhost' };
const release = ['sallyport', '-n', 'sallyport'];

/** Every step, in order. */
export const steps: readonly Step[] = [
  { title: 'Install the chart with its defaults', act: install, isVital: true },
  { title: 'Apply the examples', act: applyExamples, isVital: true },
  { title: "Reach the examples through the Service's address", act: reach, isVital: true },
  { title: 'Read what Sallyport says of them', act: readReports },
  { title: 'Move the canary from 10 % to 50 %', act: moveCanary },
  {
    title: 'Roll a backend under load',
    act: (scene) => rollUnderLoad(scene, shop, ['shop', 'deployment/shop']),
  },
  {
    title: 'Roll Sallyport under load',
    act: (scene) => rollUnderLoad(scene, shop, ['sallyport', 'deployment/sallyport']),
  },
  ...edgeProtocolSteps,
  { title: 'Upgrade the release under load', act: upgrade },
  { title: 'Let the last pod end', act: scaleToNothing },
  { title: 'Uninstall the release', act: uninstall },
];

async function install({ kubectl, helm, chart, imageValues, agent }: Scene): Promise<void> {
  await run(helm, [
    'install',
    ...release,
    chart,
    ...imageValues,
    '--wait',
    '--hide-notes',
    '--timeout',
    '90s',
  ]);
  await run(kubectl, ['-n', 'sallyport', 'get', 'pods,services,poddisruptionbudgets']);
  const address = (): Promise<string> =>
    run(
      kubectl,
      [
        '-n',
        'sallyport',
        'get',
        'service',
        'sallyport',
        '-o',
        'jsonpath={.status.loadBalancer.ingress[0].ip}{.status.loadBalancer.ingress[0].hostname}',
      ],
      { quiet: true },
    );
  const { answer } = await until('the Service has an address', address, (text) => text !== '', 30_000).catch(
    () => ({
      // No load balancer here: the address that the Service has within the cluster serves as well.
      answer: 'sallyport.sallyport.svc',
    }),
  );
  agent.address = answer.includes(':') ? `[${answer}]` : answer;
  say(`traffic goes to ${agent.address}`);
}

async function applyExamples({ kubectl, examples }: Scene): Promise<void> {
  await run(kubectl, ['apply', '-f', '-'], { input: examples });
  for (const name of ['shop', 'shop-next', 'api', 'api-next'])
    await run(kubectl, ['-n', 'shop', 'rollout', 'status', `deployment/${name}`, '--timeout=90s']);
}

async function reach({ agent }: Scene): Promise<void> {
  const cases: readonly [host: string, path: string, status: number][] = [
    ['shop.localhost', '/', 200],
    ['shop.localhost', '/api/items', 200],
    ['api.localhost', '/v1/items', 200],
    ['api.localhost', '/v2', 404],
    ['nobody.localhost', '/', 404],
  ];
  for (const [host, path, status] of cases) {
    const { answer, ms } = await until(
      `${host}${path} answers ${status}`,
      () => agent.call({ host, path }),
      (candidate) => candidate.status === status,
      20_000,
    );
    say(`${host}${path} → ${answer.status} after ${ms} ms`);
  }
}

interface Read {
  readonly status?: {
    readonly loadBalancer?: { readonly ingress?: readonly unknown[] };
    readonly conditions?: readonly { readonly type: string; readonly status: string }[];
  };
}

async function readObject(kubectl: string, name: string): Promise<Read> {
  return JSON.parse(await run(kubectl, ['-n', 'shop', 'get', name, '-o', 'json'], { quiet: true })) as Read;
}

async function readReports({ kubectl }: Scene): Promise<void> {
  await until(
    'the Ingress has the address',
    () => readObject(kubectl, 'ingress/shop'),
    ({ status }) => (status?.loadBalancer?.ingress ?? []).length > 0,
  );
  await until(
    'the Route is programmed',
    () => readObject(kubectl, 'route.sallyport.dev/api'),
    ({ status }) =>
      status?.conditions?.some(({ type, status: is }) => type === 'Programmed' && is === 'True') === true,
  );
  await until(
    'an Event tells of the conflict',
    () => run(kubectl, ['-n', 'shop', 'events', '--for', 'ingress/shop-again'], { quiet: true }),
    (text) => text.includes('shop/shop') || text.includes('"shop"'),
  );
  await run(kubectl, ['-n', 'shop', 'get', 'ingresses,routes.sallyport.dev,backendpolicies.sallyport.dev']);
  await run(kubectl, ['-n', 'shop', 'events', '--for', 'ingress/shop-again']);
}

const sampled = 2000;

/** Within five standard deviations of a binomial distribution, so that chance fails one run in a million. */
async function measureShare({ agent }: Scene, share: number): Promise<void> {
  const answered = await agent.sample('shop.localhost', sampled);
  const got = (answered['shop-next'] ?? 0) / sampled;
  const margin = 5 * Math.sqrt((share * (1 - share)) / sampled);
  want(
    Math.abs(got - share) <= margin,
    `canary ${(got * 100).toFixed(1)} % of ${sampled} requests, wanted ${share * 100} ± ${(margin * 100).toFixed(1)} %: ${JSON.stringify(answered)}`,
  );
}

async function moveCanary(scene: Scene): Promise<void> {
  const { kubectl, agent } = scene;
  await measureShare(scene, 0.1);
  await run(kubectl, [
    '-n',
    'shop',
    'annotate',
    'ingress',
    'shop-canary',
    '--overwrite',
    'nginx.ingress.kubernetes.io/canary-weight=50',
  ]);
  const { ms } = await until(
    'half of the requests go to the canary',
    () => agent.sample('shop.localhost', 100),
    (answered) => (answered['shop-next'] ?? 0) >= 30,
  );
  say(`seen after ${ms} ms, the time of the samples included`);
  await measureShare(scene, 0.5);
}

async function upgrade(scene: Scene): Promise<void> {
  const { kubectl, helm, chart, imageValues } = scene;
  await underLoad(scene, shop, async () => {
    const change = ['--set', 'controller.config.keep-alive=70s,controller.replicaCount=3'];
    await run(helm, [
      'upgrade',
      ...release,
      chart,
      ...imageValues,
      ...change,
      '--wait',
      '--hide-notes',
      '--timeout',
      '120s',
    ]);
    await settled(kubectl, 'sallyport');
  });
  await run(kubectl, ['-n', 'sallyport', 'get', 'pods']);
}

async function scaleToNothing({ kubectl }: Scene): Promise<void> {
  const scale = (replicas: number): Promise<string> =>
    run(kubectl, ['-n', 'sallyport', 'scale', 'deployment/sallyport', `--replicas=${replicas}`]);
  await scale(0);
  await settled(kubectl, 'sallyport');
  const { status } = await readObject(kubectl, 'ingress/shop');
  await scale(2);
  await run(kubectl, ['-n', 'sallyport', 'rollout', 'status', 'deployment/sallyport', '--timeout=60s']);
  want(
    (status?.loadBalancer?.ingress ?? []).length === 0,
    `status of the Ingress without a pod: ${JSON.stringify(status?.loadBalancer)}`,
  );
}

const kinds = [
  'deployments,daemonsets,replicasets,pods,services,endpointslices,configmaps,secrets,serviceaccounts,leases',
  'roles,rolebindings,poddisruptionbudgets,horizontalpodautoscalers',
].join(',');
const clusterKinds =
  'clusterroles,clusterrolebindings,ingressclasses,customresourcedefinitions,validatingadmissionpolicies,validatingadmissionpolicybindings';

/** What stays, as the chart's README says, and what Kubernetes gives every namespace. */
const documented = [
  'customresourcedefinition.apiextensions.k8s.io/backendpolicies.sallyport.dev',
  'customresourcedefinition.apiextensions.k8s.io/routes.sallyport.dev',
  'lease.coordination.k8s.io/sallyport-leader',
  'configmap/kube-root-ca.crt',
  'serviceaccount/default',
];

async function uninstall({ kubectl, helm }: Scene): Promise<void> {
  await run(helm, ['uninstall', ...release, '--wait']);
  await settled(kubectl, 'sallyport');
  const left = await run(kubectl, ['-n', 'sallyport', 'get', kinds, '-o', 'name'], { quiet: true });
  const labels = ['-l', 'app.kubernetes.io/instance=sallyport'];
  const cluster = await run(kubectl, ['get', clusterKinds, ...labels, '-o', 'name'], { quiet: true });
  const names = `${left}${cluster}`.split('\n').filter((name) => name !== '');
  const surprising = names.filter((name) => !documented.includes(name));
  want(
    surprising.length === 0,
    `left: ${names.join(', ')}; not documented: ${surprising.join(', ') || 'nothing'}`,
  );
  const { out } = await attempt(kubectl, [
    '-n',
    'shop',
    'get',
    'ingress',
    'shop',
    '-o',
    'jsonpath={.status.loadBalancer}',
  ]);
  say(`status of the Ingress afterwards: ${out}`);
}
