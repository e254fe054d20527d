import { K3sContainer } from '@testcontainers/k3s';

import { accessOf } from './existing-cluster.ts';
import type { ClusterBackend } from './start-cluster.ts';

/** The Kubernetes version of test/envtest/go.mod, as K3s names its images. */
const image = process.env['SALLYPORT_TEST_K3S_IMAGE'] || 'rancher/k3s:v1.36.3-k3s1';

/** K3s in a container: a whole node, in half a minute. It ends with the test process (testcontainers sees to it). */
export async function startK3s(): Promise<ClusterBackend> {
  const disabled = ['traefik', 'servicelb', 'metrics-server', 'local-storage'].map(
    (name) => `--disable=${name}`,
  );
  const container = await new K3sContainer(image)
    .withCommand(['server', ...disabled])
    .start()
    .catch((error: unknown) => {
      throw new Error(
        `start K3s from the image '${image}': ${String(error)}, want it here or to be had, or Go`,
        {
          cause: error,
        },
      );
    });
  return {
    provider: 'k3s',
    access: await accessOf(container.getKubeConfig()),
    stop: async () => {
      await container.stop();
    },
  };
}
