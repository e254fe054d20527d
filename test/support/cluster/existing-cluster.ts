import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';

import { KubeConfig } from '@kubernetes/client-node';

import type { ApiAccess } from './api-connection.ts';
import type { ClusterBackend } from './start-cluster.ts';

/** A cluster that somebody else runs. Stopping it leaves it as it is. */
export async function useExisting(file: string): Promise<ClusterBackend> {
  return {
    provider: 'kubeconfig',
    access: await accessOf(await readFile(file, 'utf8')),
    stop: () => Promise.resolve(),
  };
}

/** The address and the credentials of a kubeconfig's current context. */
export async function accessOf(kubeconfig: string): Promise<ApiAccess> {
  const config = new KubeConfig();
  config.loadFromString(kubeconfig);
  const cluster = config.getCurrentCluster();
  if (cluster === null) throw new Error('read the kubeconfig: it has no current context, want one');
  const options: RequestOptions = {};
  await config.applyToHTTPSOptions(options);
  const { ca, cert, key, headers = {} } = options;
  const { Authorization: authorization } = headers as Readonly<Record<string, string | undefined>>;
  return {
    url: cluster.server,
    ca: text(ca),
    certificate: text(cert),
    key: text(key),
    token: authorization?.replace(/^Bearer /, ''),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : undefined;
}
