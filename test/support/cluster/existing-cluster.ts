import { readFile } from 'node:fs/promises';
import type { RequestOptions } from 'node:https';

import { KubeConfig } from '@kubernetes/client-node';

import type { ApiClientOptions } from './api-client.ts';
import type { ClusterBackend } from './start-cluster.ts';

/** A cluster that somebody else runs. What tests apply stays there: name one that may be thrown away. */
export async function useExisting(file: string): Promise<ClusterBackend> {
  return {
    provider: 'kubeconfig',
    access: await accessOf(await readFile(file, 'utf8')),
    stop: () => Promise.resolve(),
  };
}

/** The address and the credentials of a kubeconfig's current context. */
export async function accessOf(kubeconfig: string): Promise<ApiClientOptions> {
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
