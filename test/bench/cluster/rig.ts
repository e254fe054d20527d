// A real API server full of objects, and one Sallyport with two workers that serves them under the rights that manifests/
// ship. The backends are two little servers that tell their name.
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { join } from 'node:path';

import { startCluster } from '../../support/cluster/start-cluster.ts';
import type { TestCluster } from '../../support/cluster/start-cluster.ts';
import type { Manifest } from '../../support/cluster/manifest.ts';
import { ownAddress } from '../../support/own-address.ts';
import { tlsPairs } from '../../support/tls-pairs.ts';
import type { Bench } from '../harness/measure.ts';
import { freePort, startProcess, waitUntil } from '../harness/process.ts';
import type { Running } from '../harness/process.ts';
import { rootFolder } from '../harness/tools.ts';
import { hostOf, ingress, ingressClass, namespace, service, slice, tlsSecret } from './objects.ts';

export const WORKERS = 2;
/** The objects that the changes are made to. */
export const probe = {
  name: 'probe',
  host: 'probe.bench.example',
  /** Of the Ingress whose certificate changes, its host and its Secret. */
  secure: 'probe-tls',
  secureHost: 'probe-tls.bench.example',
  secret: 'probe-tls',
  /** Of the Ingress whose path changes, and its host. */
  moving: 'probe-path',
  movingHost: 'probe-path.bench.example',
} as const;
const START_LIMIT_MS = 120_000;

export interface Backend {
  readonly name: string;
  readonly port: number;
}

export interface Rig {
  readonly cluster: TestCluster;
  readonly backends: readonly [Backend, Backend];
  /** Of both. */
  readonly address: string;
  readonly process: Running;
  readonly port: number;
  readonly httpsPort: number;
  readonly adminPort: number;
  /** From the start of the process to its readiness. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** `objects` of each: Ingress, Service and EndpointSlice. */
export async function startRig(bench: Bench, objects: number): Promise<Rig> {
  const address = ownAddress();
  const servers = [await startBackend('a', address), await startBackend('b', address)] as const;
  const backends: readonly [Backend, Backend] = [servers[0].backend, servers[1].backend];
  const cluster = await startCluster({
    manifests: [
      'crds/routes.sallyport.dev.yaml',
      'crds/backendpolicies.sallyport.dev.yaml',
      'manifests/rbac.yaml',
    ].map((file) => join(rootFolder, file)),
  });
  const stops = [
    () => cluster.stop(),
    ...servers.map(({ server }) => async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }),
  ];
  try {
    await load(bench, cluster, { objects, address, port: backends[0].port });
    const started = await startSallyport(bench, cluster);
    stops.unshift(() => started.process.stop());
    return { cluster, backends, address, ...started, stop: () => stopAll(stops) };
  } catch (error) {
    await stopAll(stops);
    throw error;
  }
}

async function stopAll(stops: readonly (() => Promise<void>)[]): Promise<void> {
  for (const stop of stops) await stop();
}

async function startBackend(
  name: string,
  host: string,
): Promise<{ readonly server: Server; readonly backend: Backend }> {
  const server = createServer((_, response) => response.setHeader('Content-Length', name.length).end(name));
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('listening on port 0 gave no port');
  return { server, backend: { name, port: bound.port } };
}

async function load(
  bench: Bench,
  cluster: TestCluster,
  { objects, address, port }: { readonly objects: number; readonly address: string; readonly port: number },
): Promise<void> {
  const began = performance.now();
  await cluster.ensureNamespace(namespace);
  const all = function* (): Generator<Manifest> {
    yield ingressClass;
    yield tlsSecret(probe.secret, tlsPairs.a);
    yield service(probe.name);
    yield slice(probe.name, address, port);
    yield ingress(probe.name, probe.host);
    yield ingress(probe.secure, probe.secureHost, { service: probe.name, secret: probe.secret });
    yield ingress(probe.moving, probe.movingHost, { service: probe.name });
    for (let index = 0; index < objects; index++) {
      const name = `host-${index}`;
      yield service(name);
      yield slice(name, address, port);
      yield ingress(name, hostOf(index));
    }
  };
  await cluster.admin.createMany(all());
  bench.log(`  ${objects} of each kind loaded in ${((performance.now() - began) / 1000).toFixed(0)} s`);
}

async function startSallyport(bench: Bench, cluster: TestCluster) {
  const { kubeconfig } = await cluster.kubeconfigFor({ namespace: 'sallyport', serviceAccount: 'sallyport' });
  const [port, httpsPort, adminPort] = [await freePort(), await freePort(), await freePort()];
  const flags = {
    kubeconfig,
    address: '127.0.0.1',
    'http-port': port,
    'https-port': httpsPort,
    'admin-port': adminPort,
    workers: WORKERS,
    'access-log': false,
    'drain-delay': '0s',
    'keep-alive-requests': 1_000_000_000,
    'publish-status-address': '192.0.2.1',
  };
  const args = ['run', ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`)];
  const env = { ...process.env, POD_NAMESPACE: 'sallyport', POD_NAME: 'sallyport-0' };
  const began = performance.now();
  const log = join(bench.folder('sallyport'), 'output.log');
  const running = startProcess(join(rootFolder, 'bin/sallyport'), args, log, env);
  try {
    await waitUntil('sallyport', running, () => isReady(adminPort), START_LIMIT_MS);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return { process: running, port, httpsPort, adminPort, readyMs: performance.now() - began };
}

async function isReady(adminPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok;
  } catch {
    return false;
  }
}

/** JSON of a page of the admin server. */
export async function adminPage<T>(adminPort: number, path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${adminPort}${path}`);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return (await response.json()) as T;
}
