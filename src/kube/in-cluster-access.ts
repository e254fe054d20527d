import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';

import type { ClusterAccess } from './cluster-access.ts';
import { accessWith } from './credential-source.ts';
import { TransportError } from './transport.ts';
import { WatchedFiles } from './watched-files.ts';

/** Where the kubelet mounts a pod's ServiceAccount. */
const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

export interface InClusterOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
}

/**
 * The cluster that this process runs in as a pod, with the pod's ServiceAccount. Written here and not taken from the
 * Kubernetes client, because three files and two variables are not worth loading a thousand modules (85 MB).
 *
 * @throws TransportError with code CREDENTIALS, outside a pod
 */
export function accessInCluster(options: InClusterOptions = {}): ClusterAccess {
  const { env = process.env, folder = serviceAccountFolder } = options;
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (host === undefined || host === '' || port === undefined || port === '') {
    throw new TransportError(
      'CREDENTIALS',
      'Looked for the cluster that this runs in: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, want to run in a pod, or --kubeconfig FILE',
    );
  }
  const files = new WatchedFiles();
  return accessWith({
    server: new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`),
    namespace: namespaceIn(folder),
    origin: `ServiceAccount in "${folder}"`,
    load: async (again) => {
      if (again) files.forget();
      // One after the other, so that what is missing is told in one order.
      const token = await files.read(join(folder, 'token'), "pod's token");
      const ca = await files.read(join(folder, 'ca.crt'), "cluster's certificate authority");
      return {
        headers: [['authorization', `Bearer ${token.trim()}`]],
        connection: {
          ca,
          cert: undefined,
          key: undefined,
          serverName: undefined,
          insecure: false,
          proxy: undefined,
          http2: true,
        },
      };
    },
  });
}

function namespaceIn(folder: string): string | undefined {
  try {
    const text = readFileSync(join(folder, 'namespace'), 'utf8').trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}
