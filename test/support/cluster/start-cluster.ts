// An API server for one test file. In: what this machine has (cluster-choice.ts). Out: a TestCluster: a client with all
// rights, kubeconfigs of ServiceAccounts, the audit log, outages. The programs end with the test process, however it ends.
// It imports nothing of src but the YAML parser: what is tested does not test itself.
import { mkdir, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ApiClient } from './api-client.ts';
import type { ApplyOptions } from './api-client.ts';
import type { ApiAccess } from './api-connection.ts';
import { AuditLog } from './audit-log.ts';
import { chooseCluster } from './cluster-choice.ts';
import type { ClusterProvider } from './cluster-choice.ts';
import { ControlPlane } from './control-plane.ts';
import { kubeconfig } from './kubeconfig.ts';
import type { KubeObject } from './manifest.ts';
import { isAlive } from './reserved-port.ts';

export interface ClusterOptions {
  /** Default: what `chooseCluster` finds. */
  readonly provider?: ClusterProvider;
  /** For `kubeconfig`: the path of the file; default `SALLYPORT_TEST_KUBECONFIG`. */
  readonly kubeconfig?: string;
  /** Further flags of kube-apiserver; `envtest` only. */
  readonly apiServerFlags?: readonly string[];
  /** YAML files that are applied before the cluster is handed out: `crds/…`. */
  readonly manifests?: readonly string[];
}

export interface ServiceAccountOptions {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** Of the token; default one hour, the API server grants ten minutes at least. */
  readonly expirationSeconds?: number;
}

/** What acts as a ServiceAccount. */
export interface ServiceAccountAccess {
  /** `system:serviceaccount:NAMESPACE:NAME`, as the audit log names it. */
  readonly user: string;
  readonly token: string;
  /** Of this token alone: tells in the audit log which of those who act as the ServiceAccount it was. */
  readonly credential: string;
  /** The path of a kubeconfig file; its context has the ServiceAccount's namespace. */
  readonly kubeconfig: string;
  readonly client: ApiClient;
}

/** What a kind of cluster adds to its credentials. */
export interface ClusterBackend {
  readonly provider: ClusterProvider;
  readonly access: ApiAccess;
  readonly controlPlane?: ControlPlane;
  stop(): Promise<void>;
}

const folderPrefix = 'sallyport-cluster-';
const keptPrefix = 'sallyport-kept-cluster-';

/** Starts a cluster, empty but for `manifests`. Rejects with the end of the logs when it does not come up. */
export async function startCluster(options: ClusterOptions = {}): Promise<TestCluster> {
  const provider = options.provider ?? chooseCluster();
  if (provider === undefined)
    throw new Error(`start a cluster: there is none on this machine, want 'make envtest'`);
  await sweep();
  const folder = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  const cluster = new TestCluster(await startBackend(provider, folder, options), folder);
  try {
    await cluster.writeKubeconfig();
    for (const file of options.manifests ?? []) await cluster.applyFile(file);
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

async function startBackend(
  provider: ClusterProvider,
  folder: string,
  { apiServerFlags, kubeconfig: file = process.env['SALLYPORT_TEST_KUBECONFIG'] ?? '' }: ClusterOptions,
): Promise<ClusterBackend> {
  switch (provider) {
    case 'envtest': {
      const controlPlane = await ControlPlane.start(folder, apiServerFlags);
      const { url, token } = controlPlane;
      const access = { url, token, ca: await controlPlane.ca() };
      return { provider, access, controlPlane, stop: () => controlPlane.stop() };
    }
    case 'k3s':
      return (await import('./k3s-cluster.ts')).startK3s();
    case 'kubeconfig':
      return (await import('./existing-cluster.ts')).useExisting(file);
  }
}

/** Removes the folders of test processes that ended without doing so. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(folderPrefix)) continue;
    const owner = Number.parseInt(name.slice(folderPrefix.length), 10);
    if (owner > 0 && !isAlive(owner)) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

/** A running cluster. */
export class TestCluster {
  readonly provider: ClusterProvider;
  readonly url: string;
  /** The authority of the API server's certificate, PEM. */
  readonly ca: string | undefined;
  /** Files of this cluster: kubeconfigs, and with `envtest` the logs of its programs. Removed by `stop`. */
  readonly folder: string;
  /** The path of a kubeconfig file with all rights. */
  readonly kubeconfig: string;
  /** A client with all rights. */
  readonly admin: ApiClient;
  readonly #backend: ClusterBackend;
  readonly #clients: ApiClient[] = [];

  constructor(backend: ClusterBackend, folder: string) {
    this.#backend = backend;
    this.provider = backend.provider;
    this.url = backend.access.url;
    this.ca = backend.access.ca;
    this.folder = folder;
    this.kubeconfig = join(folder, 'admin.kubeconfig');
    this.admin = this.#client(backend.access);
  }

  /** Part of starting; tests have no use for it. */
  async writeKubeconfig(): Promise<void> {
    await writeFile(this.kubeconfig, kubeconfig(this.#backend.access), { mode: 0o600 });
  }

  /** Every request so far; `envtest` only. */
  get audit(): AuditLog {
    return new AuditLog(this.#controlPlane('read the audit log').auditFile, (path) =>
      this.admin.call('GET', path),
    );
  }

  applyYaml(text: string, options?: ApplyOptions): Promise<readonly KubeObject[]> {
    return this.admin.applyYaml(text, options);
  }

  async applyFile(path: string, options?: ApplyOptions): Promise<readonly KubeObject[]> {
    return this.applyYaml(await readFile(path, 'utf8'), options);
  }

  /** Makes the namespace and the ServiceAccount where they are missing, and a token (TokenRequest) for it. */
  async kubeconfigFor(options: ServiceAccountOptions): Promise<ServiceAccountAccess> {
    const { namespace, serviceAccount: name, expirationSeconds = 3600 } = options;
    await this.ensureNamespace(namespace);
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
    if ((await this.admin.get({ ...account, name, namespace })) === undefined)
      await this.admin.create(account);
    const token = await this.#token(
      `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`,
      expirationSeconds,
    );
    const access = { url: this.url, ca: this.ca, token };
    const folder = join(this.folder, 'service-accounts');
    const credential = credentialOf(token);
    const path = join(folder, `${namespace}.${name}.${credential.replace(/^JTI=/, '')}.kubeconfig`);
    await mkdir(folder, { recursive: true });
    await writeFile(path, kubeconfig({ ...access, namespace }), { mode: 0o600 });
    const user = `system:serviceaccount:${namespace}:${name}`;
    return { user, token, credential, kubeconfig: path, client: this.#client(access) };
  }

  async ensureNamespace(name: string): Promise<void> {
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    if ((await this.admin.get({ ...namespace, name })) === undefined) await this.admin.create(namespace);
  }

  /** Kills the API server, as a crash would: connections break, new ones are refused. `envtest` only, as all of these. */
  stopApiServer(): Promise<void> {
    return this.#controlPlane('stop the API server').stopApiServer();
  }

  /** Starts it again at the same address with the same data and certificate; resolves when it is ready. */
  startApiServer(): Promise<void> {
    return this.#controlPlane('start the API server').startApiServer();
  }

  /** It keeps its connections and accepts new ones, but says nothing, until `resumeApiServer`. */
  pauseApiServer(): Promise<void> {
    return this.#controlPlane('pause the API server').pauseApiServer();
  }

  resumeApiServer(): Promise<void> {
    return this.#controlPlane('resume the API server').resumeApiServer();
  }

  /** Kills etcd and starts it again with its data; resolves when the API server is ready again. */
  restartEtcd(): Promise<void> {
    return this.#controlPlane('restart etcd').restartEtcd();
  }

  /** Keeps the data of etcd as it is now, as a backup would. */
  backUp(): Promise<void> {
    return this.#controlPlane('back up etcd').backUp();
  }

  /** Stops everything, puts the data of `backUp` in place, and starts again: resource versions go back. */
  restore(): Promise<void> {
    return this.#controlPlane('restore etcd').restore();
  }

  /**
   * Ends the cluster and removes its files; `SALLYPORT_KEEP_CLUSTER=1` keeps them, with the logs. From a cluster that is
   * not ours what `admin` created is deleted.
   */
  async stop(): Promise<void> {
    if (this.provider === 'kubeconfig') await this.admin.deleteMade();
    await Promise.all(this.#clients.map((client) => client.close()));
    await this.#backend.stop();
    if (process.env['SALLYPORT_KEEP_CLUSTER'] === '1') {
      const kept = this.folder.replace(folderPrefix, keptPrefix);
      await rename(this.folder, kept);
      process.stderr.write(`kept the files of the cluster: ${kept}\n`);
      return;
    }
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #token(path: string, expirationSeconds: number): Promise<string> {
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { expirationSeconds },
    };
    const answer = await this.admin.call('POST', path, { body });
    const { token } = (answer.body as { readonly status?: { readonly token?: string } }).status ?? {};
    if (token === undefined)
      throw new Error(`request a token: POST ${path} answered ${answer.status}, want a token`);
    return token;
  }

  #client(access: ApiAccess): ApiClient {
    const client = new ApiClient(access);
    this.#clients.push(client);
    return client;
  }

  #controlPlane(action: string): ControlPlane {
    const { controlPlane, provider } = this.#backend;
    if (controlPlane === undefined)
      throw new Error(`${action}: the cluster is from '${provider}', want 'envtest'`);
    return controlPlane;
  }
}

/** As the API server names it in `authentication.kubernetes.io/credential-id` (KEP-4193). */
function credentialOf(token: string): string {
  const [, payload = ''] = token.split('.');
  const { jti } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { readonly jti?: string };
  return `JTI=${jti ?? ''}`;
}
