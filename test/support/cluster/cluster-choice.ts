import { execFileSync } from 'node:child_process';

import { findProgram } from './assets.ts';

/** Where the API server of a cluster test comes from. */
export type ClusterProvider =
  /** The cluster of `SALLYPORT_TEST_KUBECONFIG`. */
  | 'kubeconfig'
  /** kube-apiserver and etcd as programs, from `KUBEBUILDER_ASSETS` or `make envtest`. */
  | 'envtest'
  /** K3s in a container. */
  | 'k3s';

type Environment = Readonly<Record<string, string | undefined>>;

/** What there is on this machine, in the order of preference; undefined when there is nothing. */
export function chooseCluster(environment: Environment = process.env): ClusterProvider | undefined {
  if (environment['SALLYPORT_TEST_KUBECONFIG']) return 'kubeconfig';
  const built = (['etcd', 'kube-apiserver'] as const).every(
    (name) => findProgram(name, environment) !== undefined,
  );
  if (built) return 'envtest';
  return dockerAnswers(environment) ? 'k3s' : undefined;
}

let dockerAnswered: boolean | undefined;

/** Whether a Docker engine runs here. Asked once. */
export function dockerAnswers(environment: Environment = process.env): boolean {
  if (dockerAnswered === undefined) {
    try {
      const options = { timeout: 5000, stdio: 'pipe', env: { ...environment } } as const;
      execFileSync('docker', ['version', '--format', '{{.Server.Version}}'], options);
      dockerAnswered = true;
    } catch {
      dockerAnswered = false;
    }
  }
  return dockerAnswered;
}
