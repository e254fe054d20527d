import { setting } from './setting.ts';
import { duration, objectName, path, text, toggle } from './setting-types.ts';

/** How the cluster is reached and what is written to it. */
export const clusterSettings = {
  kubeconfig: setting(
    'Cluster',
    'kubeconfig',
    path,
    { default: '' },
    'kubeconfig file of the cluster to serve; left out, the cluster that the process runs in',
  ),
  context: setting(
    'Cluster',
    'context',
    text,
    { default: '' },
    'context of the kubeconfig file; empty means its current one',
  ),
  publishService: setting(
    'Cluster',
    'publish-service',
    objectName,
    { default: '' },
    'namespace/name of the Service whose addresses become the status of Ingresses',
  ),
  publishStatusAddress: setting(
    'Cluster',
    'publish-status-address',
    text,
    { default: '' },
    'addresses or host names, separated by commas, that become the status of Ingresses instead',
  ),
  updateStatus: setting(
    'Cluster',
    'update-status',
    toggle,
    { default: 'true' },
    'write status and Events to the cluster, when leader',
  ),
  updateStatusOnShutdown: setting(
    'Cluster',
    'update-status-on-shutdown',
    toggle,
    { default: 'true' },
    'clear the addresses in the status of Ingresses when the last replica stops',
  ),
  electionId: setting(
    'Cluster',
    'election-id',
    text,
    { default: 'sallyport-leader' },
    'name of the Lease by which replicas elect the one that writes to the cluster',
  ),
  electionTtlMs: setting(
    'Cluster',
    'election-ttl',
    duration,
    { default: '12s' },
    'how long a leader that is silent keeps the Lease',
  ),
  disableLeaderElection: setting(
    'Cluster',
    'disable-leader-election',
    toggle,
    { default: 'false' },
    'write to the cluster without a Lease; for a single replica only',
  ),
  snapshotFile: setting(
    'Cluster',
    'snapshot-file',
    path,
    { default: '' },
    'file that keeps what was last read from the cluster, Secrets included, to start from when the cluster cannot be reached',
  ),
  snapshotWaitMs: setting(
    'Cluster',
    'snapshot-wait',
    duration,
    { default: '5s' },
    'how long a start waits for the cluster before it serves the snapshot file',
  ),
} as const;
