import { existsSync } from 'node:fs';

import type { ClusterAccess } from '../kube/cluster-access.ts';
import { accessInCluster } from '../kube/in-cluster-access.ts';
import { accessFromKubeconfig } from '../kube/kube-credentials.ts';
import { kubeconfigFiles } from '../kube/kubeconfig-files.ts';
import { UsageError } from './command-context.ts';
import type { CommandContext } from './command-context.ts';

/** What the user said of the cluster; '' and undefined mean nothing was said. */
export interface ClusterWish {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
}

/**
 * The cluster that kubectl would take: the file that is named, else those of KUBECONFIG, else `~/.kube/config`; without any,
 * the one that this runs in as a pod. Throws UsageError when there is none of them.
 */
export async function chooseCluster(
  wish: ClusterWish,
  { environment: env }: CommandContext,
): Promise<ClusterAccess> {
  const file = wish.kubeconfig === '' ? undefined : wish.kubeconfig;
  const context = wish.context === '' ? undefined : wish.context;
  const files = kubeconfigFiles(file, env);
  if (file === undefined && context === undefined && !files.some((path) => existsSync(path))) {
    if ((env['KUBERNETES_SERVICE_HOST'] ?? '') !== '') return accessInCluster({ env });
    throw new UsageError(
      `Choose where to read: there is no kubeconfig (${files.join(', ')}), want --kubeconfig FILE for a cluster, ` +
        '--admin HOST:PORT for a running process, or --manifests DIR for a folder',
    );
  }
  return accessFromKubeconfig({ file, context, env });
}
