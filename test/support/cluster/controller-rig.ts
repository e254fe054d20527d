import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { startHttpUpstream } from '../http-upstream.ts';
import type { HttpUpstream } from '../http-upstream.ts';
import { Load } from '../load.ts';
import type { LoadOptions } from '../load.ts';
import { ownAddress } from '../own-address.ts';
import type { ClusterNeed } from './describe-with-cluster.ts';
import type { Manifest } from './manifest.ts';
import { ingress, service, slice } from './objects.ts';
import { Replica, ownNamespace } from './replica.ts';
import type { TestCluster } from './start-cluster.ts';

const root = join(import.meta.dirname, '../../..');

/** A cluster with our kinds, our class and the rights that some of manifests/ give; for `describeWithCluster`. */
export function installedWith(...rights: readonly string[]): {
  readonly manifests: readonly string[];
  readonly needs: readonly ClusterNeed[];
} {
  const files = [
    'crds/routes.sallyport.dev.yaml',
    'crds/backendpolicies.sallyport.dev.yaml',
    ...rights,
    'examples/ingress-class.yaml',
  ];
  return { manifests: files.map((file) => join(root, file)), needs: ['own-api-server'] };
}

/** The shipped ServiceAccount, as the audit log names it. */
export const ownUser = `system:serviceaccount:${ownNamespace}:sallyport`;

/** Replicas, backends and load of one test, on a cluster that stays. `stop` ends them all. */
export class ControllerRig {
  readonly #cluster: TestCluster;
  readonly #replicas: Replica[] = [];
  readonly #upstreams: HttpUpstream[] = [];
  readonly #loads: Load[] = [];
  readonly #stopping = new AbortController();
  /** Of the tokens that replicas show: whose it is. */
  readonly pods = new Map<string, string>();

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  /** A replica with a token of its own for the shipped ServiceAccount. Reading may take its time: see Replica. */
  async replica(pod: string, ...flags: readonly string[]): Promise<Replica> {
    return this.replicaWith(await this.kubeconfig(pod), pod, ...flags);
  }

  /** The kubeconfig for a replica that is to start while there is no API server. */
  async kubeconfig(pod: string): Promise<string> {
    const account = { namespace: ownNamespace, serviceAccount: 'sallyport' };
    const { kubeconfig, credential } = await this.#cluster.kubeconfigFor(account);
    this.pods.set(credential, pod);
    return kubeconfig;
  }

  async replicaWith(kubeconfig: string, pod: string, ...flags: readonly string[]): Promise<Replica> {
    const replica = await Replica.start({ kubeconfig, pod, flags });
    this.#replicas.push(replica);
    return replica;
  }

  /** A backend that answers with its name, at an address that the API server takes for an endpoint. */
  async upstream(name: string): Promise<Backend> {
    const address = ownAddress();
    const upstream = await startHttpUpstream((_, response) => response.end(name), address);
    upstream.server.keepAliveTimeout = 0;
    this.#upstreams.push(upstream);
    return { address, port: upstream.port };
  }

  /** Makes a namespace with a Service `web`, its endpoint, and an Ingress `web` that leads the host there. */
  async serve(namespace: string, host: string, { address, port }: Backend): Promise<void> {
    await this.#cluster.ensureNamespace(namespace);
    const key = `${namespace}/web`;
    await this.apply(service(key), slice(key, address, port), ingress(key, host));
  }

  async apply(...objects: readonly Manifest[]): Promise<void> {
    // oxlint-disable-next-line no-await-in-loop -- in their order
    for (const object of objects) await this.#cluster.admin.apply(object);
  }

  async load(port: number, host: string, options: LoadOptions = { pauseMs: 5 }): Promise<Load> {
    const load = await Load.start(port, 4, `GET / HTTP/1.1\r\nHost: ${host}`, options);
    this.#loads.push(load);
    return load;
  }

  /** Asks for readiness again and again. What it returns ends that, and resolves with every status that came. */
  watchReadiness(replica: Replica): () => Promise<ReadonlySet<number>> {
    const seen = new Set<number>();
    const signal = this.#stopping.signal;
    let stopped = false;
    const run = async (): Promise<void> => {
      while (!stopped && !signal.aborted) {
        seen.add(await replica.readiness());
        await delay(50);
      }
    };
    const running = run();
    return async () => {
      stopped = true;
      await running;
      return seen;
    };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loads.splice(0).map((load) => load.stop()));
    await Promise.all(this.#replicas.splice(0).map((replica) => replica.kill()));
    for (const upstream of this.#upstreams.splice(0)) upstream.stop();
  }
}

export interface Backend {
  readonly address: string;
  readonly port: number;
}
