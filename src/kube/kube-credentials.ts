import type { AgentOptions } from 'node:https';
import { resolve } from 'node:path';

import type { Cluster, Context, RequestContext } from '@kubernetes/client-node';

import type { ClusterAccess, ConnectionSettings, Credentials } from './cluster-access.ts';
import { accessWith } from './credential-source.ts';
import { absolute, kubeconfigFiles, readKubeconfig } from './kubeconfig-files.ts';
import type { Kubeconfig, KubeconfigUser } from './kubeconfig-files.ts';
import { TransportError } from './transport.ts';
import { WatchedFiles } from './watched-files.ts';

export interface KubeconfigOptions {
  /** Left out: the files of KUBECONFIG, else `~/.kube/config`. */
  readonly file?: string | undefined;
  /** Left out: the current context of the file. */
  readonly context?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A credential plugin that says nothing for so long is given up. */
const pluginTimeoutMs = 60_000;

/**
 * The cluster of a kubeconfig's context. The Kubernetes client reads the file and runs credential plugins and OIDC; what
 * it does not know (token files, impersonated groups, plain HTTP) is read here.
 *
 * @throws TransportError with code CREDENTIALS, when there is no such file, context, cluster or user
 */
export async function accessFromKubeconfig(options: KubeconfigOptions = {}): Promise<ClusterAccess> {
  const { file, context: wanted, env = process.env } = options;
  const files = kubeconfigFiles(file, env).map((path) => resolve(path));
  const read = async (): Promise<Selected> => select(await readKubeconfig(files), wanted);
  let login = new Login(await read());
  const { server, context, origin } = login.selected;
  return accessWith({
    server,
    namespace: context.namespace === '' ? undefined : context.namespace,
    origin,
    load: async (again) => {
      // A plugin's token is kept by the client until it says it ends; only another instance asks for another one.
      if (again) login = new Login(await read());
      return login.credentials();
    },
  });
}

/** What one context of a kubeconfig stands for. */
interface Selected {
  readonly origin: string;
  readonly server: URL;
  readonly context: Context;
  readonly cluster: Cluster;
  readonly user: KubeconfigUser;
}

function select(config: Kubeconfig, wanted: string | undefined): Selected {
  const files = config.files.map((path) => `"${path}"`).join(', ');
  const name = wanted ?? config.currentContext ?? '';
  const fail = (problem: string): never => {
    throw new TransportError('CREDENTIALS', `Read kubeconfig ${files}: ${problem}`);
  };
  const context = config.contexts.get(name);
  if (context === undefined) {
    const known = [...config.contexts.keys()].map((known) => `"${known}"`).join(', ');
    const problem = name === '' ? 'no current context' : `no context "${name}"`;
    return fail(`${problem}, want ${known === '' ? 'one' : `one of ${known}`}`);
  }
  const cluster = config.clusters.get(context.cluster);
  if (cluster === undefined) {
    return fail(`context "${name}" names the cluster "${context.cluster}", want one that is in the file`);
  }
  const user = (context.user ?? '') === '' ? nobody : config.users.get(context.user);
  if (user === undefined) {
    return fail(`context "${name}" names the user "${context.user}", want one that is in the file`);
  }
  if (!URL.canParse(cluster.server) || !/^https?:/.test(cluster.server)) {
    return fail(`cluster "${cluster.name}" has the server "${cluster.server}", want https://HOST:PORT`);
  }
  const origin = `kubeconfig ${files}, context "${name}"`;
  return { origin, server: new URL(cluster.server), context, cluster, user };
}

const nobody: KubeconfigUser = { user: { name: '' }, tokenFile: undefined, impersonation: [], folder: '' };

/** What the Kubernetes client makes of a user: headers and TLS options. */
interface Applied {
  readonly headers: Map<string, string>;
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

/** One way to log in, with whatever the Kubernetes client keeps for it. */
class Login {
  readonly selected: Selected;
  readonly #files = new WatchedFiles();
  readonly #apply: Promise<() => Promise<Applied>>;

  constructor(selected: Selected) {
    this.selected = selected;
    this.#apply = applier(selected);
    // Reported by whoever asks for credentials.
    this.#apply.catch(() => undefined);
  }

  async credentials(): Promise<Credentials> {
    const { user } = this.selected;
    const applied = await this.#applied();
    const headers = applied.headers;
    if (user.tokenFile !== undefined) {
      const token = await this.#files.read(user.tokenFile, `token of user "${user.user.name}"`);
      headers.set('authorization', `Bearer ${token.trim()}`);
    }
    const all = [...headers, ...user.impersonation];
    return { headers: all, connection: await this.#connection(applied, all) };
  }

  async #applied(): Promise<Applied> {
    const name = this.selected.user.user.name;
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => timeout.reject(new Error(`no answer in ${pluginTimeoutMs} ms`)),
      pluginTimeoutMs,
    );
    try {
      return await Promise.race([this.#apply.then((apply) => apply()), timeout.promise]);
    } catch (cause) {
      const reason = (cause as Error).message.trim();
      const message = `Get credentials of user "${name}" (${this.selected.origin}): ${reason}`;
      throw new TransportError('CREDENTIALS', message, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  async #connection(
    { cert, key }: Applied,
    headers: readonly (readonly [string, string])[],
  ): Promise<ConnectionSettings> {
    const { cluster, user } = this.selected;
    const { certFile, certData, keyFile, keyData } = user.user;
    const [ca, ownCert, ownKey] = await Promise.all([
      this.#text(cluster.caFile, cluster.caData, `certificate authority of cluster "${cluster.name}"`),
      this.#text(certFile, certData, `certificate of user "${user.user.name}"`),
      this.#text(keyFile, keyData, `key of user "${user.user.name}"`),
    ]);
    return {
      ca,
      cert: cert ?? ownCert,
      key: key ?? ownKey,
      serverName: cluster.tlsServerName === '' ? undefined : cluster.tlsServerName,
      insecure: cluster.skipTLSVerify,
      proxy: cluster.proxyUrl === '' ? undefined : cluster.proxyUrl,
      http2: new Set(headers.map(([name]) => name)).size === headers.length,
    };
  }

  async #text(file: string | undefined, data: string | undefined, what: string): Promise<string | undefined> {
    if (file !== undefined && file !== '') return this.#files.read(file, what);
    return data === undefined || data === '' ? undefined : Buffer.from(data, 'base64').toString('utf8');
  }
}

/** The Kubernetes client's part of a login: basic auth, tokens, credential plugins, OIDC, the impersonated user. */
async function applier({ context, cluster, user }: Selected): Promise<() => Promise<Applied>> {
  const { KubeConfig } = await import('@kubernetes/client-node');
  /** It would make a dispatcher for each call; what it would make one of is all that is wanted. */
  class Captured extends KubeConfig {
    tls: AgentOptions = {};

    override createDispatcherOptions(_cluster: Cluster | null, options: AgentOptions): { type: 'none' } {
      this.tls = options;
      return { type: 'none' };
    }
  }
  const config = new Captured();
  config.loadFromOptions({
    clusters: [{ name: cluster.name, server: cluster.server, skipTLSVerify: cluster.skipTLSVerify }],
    users: [withoutFiles(user, cluster)],
    contexts: [{ name: context.name, cluster: cluster.name, user: user.user.name }],
    currentContext: context.name,
  });
  return async () => {
    const headers = new Map<string, string>();
    const request = {
      setHeaderParam: (name: string, value: string) => void headers.set(name.toLowerCase(), value),
      setDispatcher: () => undefined,
    };
    await config.applySecurityAuthentication(request as unknown as RequestContext);
    return { headers, cert: pem(config.tls.cert), key: pem(config.tls.key) };
  };
}

/** Certificates are read by Login, which notices when they change. */
function withoutFiles({ user, folder }: KubeconfigUser, cluster: Cluster): Record<string, unknown> {
  const { certFile: _cert, certData: _certData, keyFile: _key, keyData: _keyData, ...rest } = user;
  const plugin = rest.exec as ExecPlugin | null | undefined;
  if (plugin === null || plugin === undefined) return rest;
  // https://kubernetes.io/docs/reference/access-authn-authz/authentication/#input-and-output-formats
  const info = {
    apiVersion: plugin.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, ...(plugin.provideClusterInfo === true ? { cluster: infoOf(cluster) } : {}) },
  };
  const env = [...(plugin.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }];
  const command = /[/\\]/.test(plugin.command) ? absolute(folder, plugin.command) : plugin.command;
  return { ...rest, exec: { ...plugin, env, command } };
}

interface ExecPlugin {
  readonly apiVersion?: string;
  readonly command: string;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly provideClusterInfo?: boolean;
}

function infoOf(cluster: Cluster): Record<string, unknown> {
  return {
    server: cluster.server,
    'tls-server-name': cluster.tlsServerName,
    'insecure-skip-tls-verify': cluster.skipTLSVerify,
    'certificate-authority-data': cluster.caData,
    'proxy-url': cluster.proxyUrl,
  };
}

/** A certificate or key as a plugin gave it. */
function pem(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : undefined;
}
